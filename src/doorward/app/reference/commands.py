"""docs/reference/commands.md."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from typer.main import get_command

from doorward.app.cli import EXIT_MEANINGS, root
from doorward.app.reference.markdown import code, ended, first_line, headed, table

EXAMPLE = "Example: "
KINDS = {int: "NUMBER", float: "NUMBER", Path: "PATH"}
LEAD = (
    "`--folder` (or `DOORWARD_FOLDER`) says where the site lies and `--json` makes each answer one JSON "
    "object a line; both may stand anywhere in a command. Errors go to standard error, with `--json` as "
    '`{"problem": ..., "detail": ...}`. [command-line.md](../operate/command-line.md) walks through a site.',
    "Others on the machine can read a command line while it runs. Where `-` may stand for a name, a plate or "
    "a number, a terminal asks for it; else it is the next line of standard input, those of options first.",
    "Whoever runs a command holds the site's key: its deeds are in the audit log under `system:console`.",
)


def page() -> str:
    """Every command with arguments, options and examples, and the exit codes."""
    lines = headed("Commands", *LEAD)
    lines += [
        "## Exit codes",
        "",
        *table(["code", "means"], ((str(n), m) for n, m in EXIT_MEANINGS.items())),
        "",
    ]
    panel = ""
    for words, command, heading in all_commands():
        if heading != panel:
            panel = heading
            lines += [f"## {panel}", ""]
        lines += _section(words, command)
    return ended(lines)


def all_commands() -> Iterator[tuple[str, Any, str]]:
    """The words of each command, the command, and the panel of help that shows it, panel after panel."""
    top: Any = get_command(root)
    found = list(top.commands.items())
    panels: list[str] = list(dict.fromkeys(_panel(command) for _, command in found))
    for panel in panels:
        for name, command in found:
            if _panel(command) == panel:
                yield from ((words, one, panel) for words, one in _leaves(name, command))


def examples_of(command: Any) -> list[str]:
    """What its help shows to be typed."""
    parts = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    return [part.removeprefix(EXAMPLE) for part in parts if part.startswith(EXAMPLE)]


def _panel(command: Any) -> str:
    return str(command.rich_help_panel)


def _leaves(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, inner in command.commands.items():
        yield from _leaves(f"{words} {name}", inner)


def _section(words: str, command: Any) -> list[str]:
    told = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    prose = [part for part in told if part and not part.startswith(EXAMPLE)]
    given = [one for one in command.params if one.name != "help"]
    usage = " ".join(["doorward", words, *(_usage(one) for one in given)])
    lines = [f"### doorward {words}", "", *(line for part in prose for line in (part, "")), "```sh"]
    lines += examples_of(command) or [usage]
    lines += ["```", ""]
    rows = [(code(_name(one)), _default(one), first_line(one.help)) for one in given]
    return lines + ([*table(["what", "default", "means"], rows), ""] if rows else [])


def _usage(given: Any) -> str:
    return _name(given).split(",", maxsplit=1)[0]


def _name(given: Any) -> str:
    if given.param_type_name == "argument":
        word = str(given.metavar or given.name).upper() + ("..." if given.nargs == -1 else "")
        return word if given.required else f"[{word}]"
    names = ", ".join(given.opts) + "".join(f" / {name}" for name in given.secondary_opts)
    return names if given.is_flag else f"{names} {_values(given)}"


def _values(given: Any) -> str:
    """The words to choose from, else what kind of value it takes."""
    kind = given.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(choice.value) for choice in kind)
    return KINDS.get(kind, "TEXT")


def _default(given: Any) -> str:
    if given.required:
        return "needed"
    value = getattr(given.default, "value", given.default)
    return "" if value in (None, False, "", ()) or callable(value) else code(str(value))
