"""Figures that have a limit: printed where they are measured, and gathered for the table at the end."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

KEPT_IN = "BENCHMARK_FIGURES"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in words; the limit, in words; None where there is nothing to meet."""

    what: str
    value: str
    limit: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """One word, or none."""
        return "" if self.met is None else "met" if self.met else "NOT met"


def tell(figure: Figure) -> None:
    """Print a figure, and keep it for the table if there will be one."""
    limit = f" (limit {figure.limit}: {figure.verdict})" if figure.limit else ""
    print(f"  => {figure.what}: {figure.value}{limit}", flush=True)
    if KEPT_IN in os.environ:
        with Path(os.environ[KEPT_IN]).open("a", encoding="utf8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def kept(path: Path) -> list[Figure]:
    """The figures told so far."""
    lines = path.read_text(encoding="utf8").splitlines() if path.exists() else []
    return [Figure(**json.loads(line)) for line in lines]


def table(figures: Iterable[Figure]) -> str:
    """One line a figure, in columns."""
    rows = [(one.what, one.value, one.limit, one.verdict) for one in figures]
    rows.insert(0, ("figure", "measured", "limit", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
