"""The process that measures: what to measure as JSON in its only argument, what it found as JSON."""

import json
import sys

from doorward.app.bench.measuring import measure
from doorward.core.errors import DoorwardError


def main(told: str) -> int:
    """Measure, and say it on standard output."""
    wanted = json.loads(told)
    sys.path.extend(wanted.pop("peers"))  # after our own: they must not bring another NumPy
    try:
        found = measure(**wanted)
    except DoorwardError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
