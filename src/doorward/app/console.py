"""What the command line says: for people with colour and bars, for programs as JSON lines."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

# Columns of sentences may break; ids, names and times stay whole, so that they can be copied.
SENTENCES = frozenset({"asks_for", "detail", "facts", "gates", "hours", "reason"})
LEAST_SENTENCE = 24


class Voice:
    """One way to speak for every command; `as_json` makes each answer one JSON object a line on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.zone: tzinfo = UTC
        self._out = Console(highlight=False, soft_wrap=True, emoji=False)
        self._aside = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    def answer(self, facts: Mapping[str, Any], sentence: str, *, markup: bool = False) -> None:
        """The result of a command; `markup` reads colours in a sentence of ours alone."""
        if self.as_json:
            self._line(facts)
        else:
            self._out.print(sentence, markup=markup)

    def aside(self, sentence: str) -> None:
        """Something worth knowing that is not the result; goes to standard error."""
        if self.as_json:
            sys.stderr.write(_json({"note": sentence.strip()}) + "\n")
        else:
            self._aside.print(sentence, markup=False)

    def complain(self, code: str, sentence: str) -> None:
        """Why a command failed; goes to standard error, as JSON for programs."""
        if self.as_json:
            sys.stderr.write(_json({"problem": code, "detail": sentence}) + "\n")
        else:
            self._aside.print(sentence, style="red", markup=False)

    def ask_unseen(self, what: str, *, twice: bool = False) -> str:
        """A secret: typed unseen on a terminal, else the next line of standard input."""
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        answer: str = typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True)
        return answer

    def table(
        self, title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, none: str = "None."
    ) -> None:
        """Many results alike, one JSON object a line or one table; `none` is said instead of an empty one."""
        kept = list(rows)
        if self.as_json:
            for row in kept:
                self._line(row)
            return
        if not kept:
            self._out.print(none, markup=False)
            return
        cells = [[self.shown(row.get(column)) for column in columns] for row in kept]
        self._print(_drawn(title, columns, cells), self._needed(columns, cells))

    def card(self, title: str, facts: Mapping[str, Any], **more: Any) -> None:
        """One thing with its facts, a line each; `more` is for programs alone."""
        if self.as_json:
            self._line({**facts, **more})
            return
        table = Table(title=escape(title), title_justify="left", title_style="bold", box=None)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        table.show_header = False
        for name, value in facts.items():
            table.add_row(name.replace("_", " "), escape(self.shown(value)))
        self._print(table, self._out.width)

    def shown(self, value: object) -> str:
        """A value as people read it: times on the clock of the site, to the second."""
        if value is None or value is False:
            return "no" if value is False else ""
        if value is True:
            return "yes"
        if isinstance(value, datetime):
            return value.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(value, Mapping):
            return " ".join(f"{name}={self.shown(one)}" for name, one in value.items())
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(map(str, value))
        return str(value)

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

    def _print(self, table: Table, needed: int) -> None:
        """As wide as it must be: a terminal that is narrower wraps, and what was whole can be copied."""
        Console(width=max(self._out.width, needed), highlight=False, emoji=False).print(table)

    def _needed(self, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
        widest = [
            min(LEAST_SENTENCE, most) if column in SENTENCES else most
            for number, column in enumerate(columns)
            for most in [max(self._cell(column), *(self._cell(row[number]) for row in cells))]
        ]
        return sum(widest) + 3 * len(columns) + 1

    def _cell(self, text: str) -> int:
        return Measurement.get(self._out, self._out.options.update(width=1000), escape(text)).maximum

    def _line(self, facts: Mapping[str, Any]) -> None:
        sys.stdout.write(_json(facts) + "\n")
        sys.stdout.flush()


class Bar:
    """A bar that moves."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def step(self) -> None:
        """One more done."""
        self._progress.advance(self._task)


def _drawn(title: str, columns: Sequence[str], cells: Iterable[Iterable[str]]) -> Table:
    table = Table(
        title=escape(title),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column not in SENTENCES)
    for row in cells:
        table.add_row(*map(escape, row))
    return table


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, default=_plain, ensure_ascii=False)


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
