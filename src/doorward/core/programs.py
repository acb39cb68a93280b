"""How each of our programs begins and ends: private files and memory, then an exit code for each family."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from doorward.core.errors import DoorwardError
from doorward.core.processes import keep_memory_private, keep_memory_small

# Told in docs/reference/exit-codes.md, for all programs alike.
EXIT_CODES: Final = {
    "invalid": 2,
    "denied": 4,
    "unauthenticated": 4,
    "not-found": 5,
    "conflict": 6,
    "unavailable": 7,
    "tampered": 8,
}
INTERNAL_EXIT: Final = 70  # EX_SOFTWARE


def keep_to_oneself() -> None:
    """Whatever this process writes is for its owner alone, and so is its memory, which stays small."""
    os.umask(0o077)
    keep_memory_private()
    keep_memory_small()


def say(facts: Mapping[str, object]) -> None:
    """One JSON object on a line of standard output."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def run(command: Callable[..., Any], name: str, arguments: list[str] | None) -> None:
    """Run one command of a program that speaks JSON, and leave with its exit code."""
    keep_to_oneself()
    try:
        command(sys.argv[1:] if arguments is None else arguments, prog_name=name)
    except DoorwardError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_CODES.get(error.code, INTERNAL_EXIT))
