"""`doorward matcher`: what the encrypted search costs on this machine."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import typer

from doorward.app.bench import picture, running
from doorward.app.bench.contenders import FAISS, NUMPY, OURS, PREPARED, STEPS, USEARCH
from doorward.app.console import Voice
from doorward.app.context import context_of
from doorward.core.errors import Invalid
from doorward.matching.sharing import cores

commands = typer.Typer(no_args_is_help=True, help="The encrypted search.")
NAMES: Final = {
    OURS: "encrypted, all of it",
    PREPARED: "encrypted, query prepared",
    NUMPY: "NumPy float32, argmax",
    FAISS: "FAISS IndexFlatIP",
    USEARCH: "usearch, exact",
}
LINES: Final = (OURS, PREPARED, NUMPY, FAISS, USEARCH, "encrypt, prepared", *STEPS)
KINDS: Final = ("best", "median")
COLUMNS: Final = ("what", "best", "median", "cpu_best", "cpu_median", "best_over_numpy", "median_over_numpy")


@commands.callback()
def _here() -> None:
    pass


@commands.command()
def bench(
    ctx: typer.Context,
    people: int = typer.Argument(help="How many made-up people to search."),
    length: int = typer.Argument(128, help="Numbers in a template."),
    threads: int = typer.Option(
        0, "--threads", help="For everybody who is compared; 0 for one a processor, two at most."
    ),
    rounds: int = typer.Option(9, "--rounds", help="Turns that each takes; best and median are told."),
    plot: Path | None = typer.Option(
        None, "--plot", help="An .svg to write: time from 1,000 to so many people."
    ),
    peers: list[Path] = typer.Option(
        [], "--peers", help="A folder of more Python libraries, where FAISS or usearch are not among ours."
    ),
) -> None:
    """Search made-up people encrypted, and in the clear by NumPy, FAISS and usearch where they are installed.

    One process, turn by turn, each answer checked; needs no site. FAISS and usearch are no part of Doorward.

    Example: doorward matcher bench 1000000 128 --plot matching.svg

    Example: doorward matcher bench 100000 --peers .venv-peers/lib/python3.11/site-packages
    """
    if plot is not None and plot.suffix != ".svg":
        raise Invalid("The picture is an SVG: name it so.")
    voice = context_of(ctx).voice
    sizes = running.sizes_upto(people) if plot else [people]
    voice.aside(f"Sealing {people:,} made-up people and searching them...")
    found = running.run(
        people, length, threads=threads or min(2, cores()), rounds=rounds, sizes=sizes, peers=peers
    )
    if voice.as_json:
        voice.answer(found, "")
    else:
        _tell(voice, found)
    if plot:
        plot.write_text(picture.draw(found), encoding="utf8")
        voice.aside(f"The picture is {plot}.")


def _tell(voice: Voice, found: dict[str, Any]) -> None:
    for town in found["towns"]:
        title = f"{town['people']:,} people, milliseconds of {found['rounds']} turns each"
        voice.table(title, COLUMNS, list(_rows(town["ms"])))
    for name in (FAISS, USEARCH):
        if not found["versions"][name] or name not in found["towns"][-1]["ms"]:
            voice.aside(f"{NAMES[name]} is not installed and was not compared.")
    voice.card("Measured", _facts(found))


def _rows(ms: dict[str, dict[str, float]]) -> Iterable[dict[str, str]]:
    for name in LINES:
        if name not in ms:
            continue
        told = {"what": NAMES.get(name, f"  {name}")}
        told |= {column: f"{ms[name][column]:.2f}" for column in COLUMNS[1:5]}
        if name in NAMES:
            told |= {f"{kind}_over_numpy": f"{ms[name][kind] / ms[NUMPY][kind]:.2f} x" for kind in KINDS}
        yield told


def _facts(found: dict[str, Any]) -> dict[str, str]:
    memory, error, machine = found["memory"], found["cosine_error"], found["machine"]
    mega = {name: f"{size / 1e6:,.0f} MB" for name, size in memory.items()}
    added = (memory["peak"] - memory["before"]) / memory["blocks"]
    return {
        "machine": f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f} before",
        "threads": f"{found['threads']}, for each",
        "a template": f"{found['bytes_a_template']:.0f} bytes in its block",
        "memory": f"blocks {mega['blocks']}; process {mega['before']} before, {mega['peak']} at most: "
        f"{added:.2f} x the blocks more",
        "enrolled": f"{found['enrolled_a_second']['wall']:,.0f} templates a second; "
        f"{found['enrolled_a_second']['cpu']:,.0f} a second of one processor",
        "cosines": f"off by {error['sigma']:.4f} (one sigma), {error['most']:.4f} at most of {error['of']}",
        "answers": "each the nearest person",
    }
