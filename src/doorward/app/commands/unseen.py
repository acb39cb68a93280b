"""Values that must not stand on the command line, where every account of the machine can read them."""

import sys

from doorward.core.errors import Invalid

FROM_INPUT = "-"
UNSEEN_HELP = "`-` reads it from standard input, since others can see a command line."


def unseen(value: str) -> str:
    """The value itself, or for `-` the next line of standard input."""
    if value != FROM_INPUT:
        return value
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Invalid("Nothing came in: with `-` the value is the next line of standard input.")
    return line
