"""`doorward watch`: look at a source before a gate, with a live line per decision."""

import typer

from doorward.app.commands.finding import gate_of
from doorward.app.console import Voice
from doorward.app.context import context_of
from doorward.app.local_agent import Looking, local_agent
from doorward.gates.model import Factor
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
    source: str = typer.Argument(help="An image, a folder, a video file, rtsp://... or camera:0."),
    card: str = typer.Option(None, help="A card that whoever is seen shows; it claims who they are."),
    qr: str = typer.Option(None, help="A QR code's text shown likewise."),
    ask_pin: bool = typer.Option(False, "--ask-pin", help="Ask for a PIN on this terminal."),
    region: Region = typer.Option(Region.EU, help="Whose plates a lane expects."),
    rate: float = typer.Option(12.0, help="Frames a second to look at."),
    real_time: bool = typer.Option(False, "--real-time", help="Play a file at its own speed."),
) -> None:
    """Watch a source and decide, as a gate would. No server is needed.

    Ends with the source. Exit code 0 if anything opened, 1 if nothing did.
    """
    context = context_of(ctx)
    reader = SimulatedReader()
    for shown, value in ((Shown.CARD, card), (Shown.QR, qr)):
        if value:
            reader.show(ReaderEvent(shown, value))
    if ask_pin:
        reader.show(ReaderEvent(Shown.PIN, typer.prompt("PIN", hide_input=True)))
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
        opened = _follow(context.voice, agent)
    if not opened:
        raise typer.Exit(1)


def _follow(voice: Voice, agent: Agent) -> int:
    opened = 0
    try:
        for decision in agent.passages():
            opened += decision.opens
            voice.answer(_facts(decision), _line(decision))
    except KeyboardInterrupt:
        agent.stop()
    counts = agent.post.statistics.as_facts()
    if counts["frames_decoded"]:
        voice.aside(
            f"{counts['frames_decoded']} frames decoded, {counts['frames_examined']} looked at, "
            f"{counts['frames_dropped']} dropped, {counts['frames_unreadable']} unreadable."
        )
    return opened


def _line(decision: Decision) -> str:
    seen = " + ".join(decision.seen.kinds) or "nobody"
    if decision.seen.problem and not decision.seen.kinds:
        return f"[yellow]....[/] {decision.seen.problem}"
    word = "[green]OPEN[/]" if decision.opens else "[red]SHUT[/]"
    frames = f"{decision.seen.frames} frame" + ("s" if decision.seen.frames != 1 else "")
    return f"{word} {decision.because or ''} ({seen}, {frames}, {decision.total_ms:.0f} ms)"


def _facts(decision: Decision) -> dict[str, object]:
    return {
        "opens": decision.opens,
        "because": decision.because,
        "seen": list(decision.seen.kinds),
        "problem": decision.seen.problem,
        "frames": decision.seen.frames,
        "moved": decision.moved,
        "offline": decision.offline,
        "passage": decision.permit_id,
        "ms": round(decision.total_ms, 1),
    }
