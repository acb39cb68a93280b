"""The few marks that the reference pages are made of."""

from collections.abc import Iterable, Sequence

MADE_BY = "<!-- written by `make reference`; do not edit -->"


def headed(title: str, *paragraphs: str) -> list[str]:
    """The beginning of a page."""
    return [f"# {title}", MADE_BY, "", *(line for text in paragraphs for line in (text, ""))]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; a bar inside a cell is written so that it does not end it."""
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    return lines + [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]


def ended(lines: Iterable[str]) -> str:
    """The page as one text with one line end at its end."""
    return "\n".join(lines).rstrip("\n") + "\n"


def code(text: str) -> str:
    """As it is typed."""
    return f"`{text}`"


def first_line(doc: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((doc or "").strip().split("\n\n", maxsplit=1)[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
