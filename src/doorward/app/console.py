"""What the command line says: for people with colour and bars, for programs as JSON lines."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


class Voice:
    """One way to speak for every command; `as_json` makes each answer one JSON object a line on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        self._aside = Console(stderr=True, highlight=False, soft_wrap=True)

    def answer(self, facts: Mapping[str, Any], sentence: str) -> None:
        """The result of a command."""
        if self.as_json:
            self._line(facts)
        else:
            self._out.print(sentence)

    def aside(self, sentence: str) -> None:
        """Something worth knowing that is not the result; goes to standard error."""
        self._aside.print(sentence)

    def complain(self, code: str, sentence: str) -> None:
        """Why a command failed; goes to standard error, as JSON for programs."""
        if self.as_json:
            sys.stderr.write(json.dumps({"problem": code, "detail": sentence}, ensure_ascii=False) + "\n")
        else:
            self._aside.print(sentence, style="red", markup=False)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Many results alike, one JSON object a line or one table."""
        if self.as_json:
            for row in rows:
                self._line(row)
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(_shown(row.get(column)) for column in columns))
        self._out.print(table)

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator["Bar"]:
        """A progress bar on standard error; silent for programs and pipes."""
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._aside,
            disable=self.as_json or not sys.stderr.isatty(),
            transient=True,
        ) as progress:
            yield Bar(progress, progress.add_task(what, total=total))

    def _line(self, facts: Mapping[str, Any]) -> None:
        sys.stdout.write(json.dumps(facts, default=str, ensure_ascii=False) + "\n")
        sys.stdout.flush()


class Bar:
    """A bar that moves."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def step(self) -> None:
        """One more done."""
        self._progress.advance(self._task)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
