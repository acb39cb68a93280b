"""docs/reference/events.md: every name that the code writes to the audit log, read from its source."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from doorward.app.reference.markdown import code, ended, first_line, headed, table
from doorward.gates.model import OccupancyEvent, Piece

SOURCE = Path(__file__).parents[2]
LEAD = (
    "Each entry of the audit log bears one of these names, the site, who did it, when, whom it concerns "
    "(an id) and the facts below: ids, counts and codes, never a name, a number or a plate.",
)
# What stands in braces in a name that is put together while running.
FILLED: Mapping[str, tuple[str, ...]] = {
    "_kind(piece)": tuple(kind.__name__.lower() for kind in get_args(Piece)),
    "event.value": tuple(OccupancyEvent),
}


@dataclass(slots=True)
class Event:
    """One name: what the deed does, and which facts it keeps."""

    deeds: set[str] = field(default_factory=set)
    facts: set[str] = field(default_factory=set)
    has_subject: bool = False


def page() -> str:
    """Every event, what was done, and which facts it keeps."""
    rows = [
        (
            code(name),
            " ".join(sorted(event.deeds)),
            "yes" if event.has_subject else "",
            ", ".join(map(code, sorted(event.facts))),
        )
        for name, event in sorted(all_events().items())
    ]
    return ended(
        headed("Events of the audit log", *LEAD) + table(["event", "deed", "names a subject", "facts"], rows)
    )


def all_events() -> dict[str, Event]:
    """Every event by name; `ValueError` for a call whose name cannot be told from the source."""
    found: dict[str, Event] = defaultdict(Event)
    for file in sorted(SOURCE.rglob("*.py")):
        if "migrations" not in file.parts:
            _Reader(file).read(found)
    return dict(found)


class _Reader:
    """One file: its calls of `record`, and what their names may be."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tree = ast.parse(file.read_text(encoding="utf-8"))

    def read(self, found: dict[str, Event]) -> None:
        """Add what this file writes."""
        for function in self._functions():
            for call in _calls(function, "record"):
                for name, deed in self._names(call.args[1], function):
                    _note(found[name], deed, call)

    def _functions(self) -> Iterator[ast.FunctionDef]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.FunctionDef):
                yield node

    def _names(self, name: ast.expr, function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
        """Names that an expression may have, each with the sentence of the deed that gives it."""
        deed = self._deed(function)
        match name:
            case ast.Constant(value=str(text)):
                yield text, deed
            case ast.IfExp():
                yield from self._names(name.body, function)
                yield from self._names(name.orelse, function)
            case ast.JoinedStr():
                yield from ((text, deed) for text in _filled(name))
            case ast.Name(id=word):
                yield from self._meanings(word, name, function)
            case _:
                raise ValueError(f"{self._file.name}: no telling what {ast.unparse(name)} writes to the log")

    def _meanings(self, word: str, name: ast.Name, function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
        """A name's values: set in the function, handed in by its callers, or a constant of the room."""
        given = [one.arg for one in function.args.args]
        local = [one.value for one in ast.walk(function) if isinstance(one, ast.Assign) and _sets(one, word)]
        for value in local:
            yield from self._names(value, function)
        if word in given and not local:
            for caller in self._functions():
                for call in _calls(caller, function.name):
                    yield from self._names(call.args[given.index(word)], caller)
        elif not local:
            yield self._constant(word, name), self._deed(function)

    def _deed(self, function: ast.FunctionDef) -> str:
        """What a function says of itself, or of those in its file that it works for."""
        told = first_line(ast.get_docstring(function))
        callers = [
            one for one in self._functions() if one is not function and any(_calls(one, function.name))
        ]
        return told or " ".join(dict.fromkeys(self._deed(one) for one in callers))

    def _constant(self, word: str, name: ast.Name) -> str:
        for file in sorted(self._file.parents[1].rglob("*.py")):
            for one in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(one, ast.Assign) and _sets(one, word) and isinstance(one.value, ast.Constant):
                    return str(one.value.value)
        raise ValueError(f"{self._file.name}: no telling what {ast.unparse(name)} writes to the log")


def _calls(function: ast.FunctionDef, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _sets(assignment: ast.Assign, word: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == word for one in assignment.targets)


def _filled(text: ast.JoinedStr) -> list[str]:
    made = [""]
    for part in text.values:
        if isinstance(part, ast.FormattedValue):
            made = [before + word for before in made for word in FILLED[ast.unparse(part.value)]]
        elif isinstance(part, ast.Constant):
            made = [before + str(part.value) for before in made]
    return made


def _note(event: Event, deed: str, call: ast.Call) -> None:
    event.deeds.add(deed)
    keywords = {one.arg for one in call.keywords if one.arg is not None}
    event.has_subject |= "subject_id" in keywords
    event.facts |= keywords - {"subject_id"}
