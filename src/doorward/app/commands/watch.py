"""`doorward watch`: look at a source before a gate, with a live line per decision."""

from contextlib import closing
from typing import Any

import typer
from rich.markup import escape

from doorward.app.commands.finding import gate_of
from doorward.app.commands.unseen import DASH, secret
from doorward.app.console import Voice
from doorward.app.context import context_of
from doorward.app.house import House
from doorward.app.local_agent import Looking, local_agent
from doorward.core.errors import DoorwardError
from doorward.gates.model import Factor
from doorward.gates.service import get_passage
from doorward.vision.plates import Region
from doorward_edge.agent import Agent
from doorward_edge.drivers.simulated import SimulatedReader
from doorward_edge.passage import Decision
from doorward_edge.ports import ReaderEvent, Shown


class Spoken:
    """Tells the person before the camera what to do, on this terminal."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def say(self, sentence: str) -> None:
        """One line."""
        self._voice.aside(f"  > {sentence}")


def watch(
    ctx: typer.Context,
    gate: str = typer.Argument(help="The gate's name or id."),
    source: str = typer.Argument(
        envvar="DOORWARD_SOURCE",
        help="An image, a folder, a video file, rtsp://... or camera:0. For an address with a password: "
        + DASH,
        callback=secret,
    ),
    card: str = typer.Option(
        None,
        envvar="DOORWARD_CARD",
        help=f"A card shown once, before the first face: it claims who that is. {DASH}",
        callback=secret,
    ),
    qr: str = typer.Option(
        None, envvar="DOORWARD_QR", help=f"The text of a QR code, shown likewise. {DASH}", callback=secret
    ),
    ask_pin: bool = typer.Option(False, "--ask-pin", help="Ask for a PIN on this terminal."),
    region: Region = typer.Option(Region.EU, help="Whose plates a lane expects."),
    rate: float = typer.Option(12.0, min=0.1, help="Frames a second to look at."),
    real_time: bool = typer.Option(False, "--real-time", help="Play a file at its own speed."),
) -> None:
    """Watch a source and decide, as a gate would: a line for each decision. No server is needed.

    Ends with the source. Exit code 0 if anything opened, 1 if nothing did.

    Example: doorward watch front camera:0 --card 04A1B2C3

    Example: doorward watch north drive.mp4 --region eu

    Example: doorward watch front -
    """
    context = context_of(ctx)
    reader = SimulatedReader()
    for shown, value in ((Shown.CARD, card), (Shown.QR, qr)):
        if value:
            reader.show(ReaderEvent(shown, value))
    if ask_pin:
        reader.show(ReaderEvent(Shown.PIN, context.voice.ask_unseen("PIN")))
    with context.house() as house:
        with house.unit() as unit:
            found = gate_of(house, unit, gate)
        looking = Looking(
            source=source,
            region=region,
            frames_per_second=rate,
            real_time=real_time,
            challenge=(Factor.FACE,) in found.factors,
            prompt=Spoken(context.voice),
        )
        agent = local_agent(house, found, looking, readers=[reader])
        with closing(agent.post.state):
            opened = _follow(house, context.voice, agent)
    if not opened:
        raise typer.Exit(1)


def _follow(house: House, voice: Voice, agent: Agent) -> int:
    opened = decided = 0
    try:
        for decision in agent.passages():
            opened += decision.opens
            decided += decision.permit_id is not None
            facts = _facts(decision, subject=_subject_of(house, decision))
            voice.answer(facts, _line(facts), markup=True)
    except KeyboardInterrupt:
        agent.stop()
    counts = agent.post.statistics.as_facts()
    if voice.as_json:
        voice.answer({"statistics": counts}, "")
    elif counts["frames_decoded"]:
        voice.aside(
            f"{opened} opened of {decided} decided. Frames: {counts['frames_decoded']} decoded, "
            f"{counts['frames_examined']} looked at, {counts['frames_passed_over']} passed over, "
            f"{counts['frames_dropped']} dropped, {counts['frames_unreadable']} unreadable."
        )
    return opened


def _subject_of(house: House, decision: Decision) -> str | None:
    """The id of whoever was known; the look is written down. None for strangers and decisions alone."""
    if decision.permit_id is None:
        return None
    try:
        with house.unit() as unit:
            return get_passage(unit, decision.permit_id).subject_id
    except DoorwardError:  # the line is only told: the gate has decided, and goes on watching
        return None


def _line(facts: dict[str, Any]) -> str:
    if facts["problem"] and not facts["seen"]:
        return f"[yellow]....[/] {escape(facts['problem'])}"
    word = "[green]OPEN[/]" if facts["opens"] else "[red]SHUT[/]"
    frames = f"{facts['frames']} frame" + ("s" if facts["frames"] != 1 else "")
    parts = [" + ".join(facts["seen"]) or "nobody", frames]
    if facts["weakest_character"] is not None:
        parts.append(f"weakest character {facts['weakest_character']:.0%}")
    parts.append(f"{facts['ms']:.0f} ms")
    notes = " offline" * facts["offline"] + " (the barrier did not move)" * (facts["moved"] is False)
    who = f" {facts['subject']}" if facts["subject"] else ""
    return f"{word} {facts['because'] or ''}{notes}{who} ({', '.join(parts)})"


def _facts(decision: Decision, *, subject: str | None) -> dict[str, Any]:
    plate = decision.seen.plate
    return {
        "opens": decision.opens,
        "because": decision.because,
        "subject": subject,
        "seen": list(decision.seen.kinds),
        "problem": decision.seen.problem,
        "frames": decision.seen.frames,
        "weakest_character": None if plate is None else round(plate.minimum_character_confidence, 3),
        "moved": decision.moved,
        "offline": decision.offline,
        "passage": decision.permit_id,
        "ms": round(decision.total_ms, 1),
    }
