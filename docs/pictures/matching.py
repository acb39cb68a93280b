"""Draws docs/pictures/matching.svg: the best turn of each contender, of one or several measurements.

On a quiet machine `doorward matcher bench 1000000 --plot docs/pictures/matching.svg` does. On a busy one keep
several answers of `doorward --json matcher bench 1000000 --plot any.svg` and run, from the top folder,
`.venv/bin/python docs/pictures/matching.py ANSWER.json ...`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from doorward.app.bench.picture import draw

OUT = Path(__file__).with_name("matching.svg")


def best_of(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """As if all had been one measurement."""
    whole = answers[0]
    for answer in answers[1:]:
        if [answer[key] for key in ("people", "length", "threads")] != [
            whole[key] for key in ("people", "length", "threads")
        ]:
            raise SystemExit("These are measurements of different things.")
        whole["rounds"] += answer["rounds"]
        whole["machine"]["load"] = max(whole["machine"]["load"], answer["machine"]["load"])
        for town, other in zip(whole["towns"], answer["towns"], strict=True):
            for name, ms in town["ms"].items():
                ms["best"] = min(ms["best"], other["ms"][name]["best"])
    return whole


if __name__ == "__main__":
    found = best_of([json.loads(Path(name).read_text(encoding="utf8")) for name in sys.argv[1:]])
    OUT.write_text(draw(found), encoding="utf8")
