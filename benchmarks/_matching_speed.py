"""What the encrypted search costs beside searches in the clear: `doorward matcher bench`, with limits."""

from typing import Any

import numpy as np

from benchmarks._figures import Figure, tell
from benchmarks._peers import HERE
from doorward.app.bench.contenders import FAISS, NUMPY, OURS, PREPARED, USEARCH
from doorward.app.bench.running import run
from doorward.core.errors import DoorwardError
from doorward.matching.sharing import cores

MILLION, SMALL, LENGTH = 1_000_000, 100_000, 128
SIZES = (SMALL, 200_000, 300_000, 500_000, 700_000, MILLION)
ROUNDS = 15
OVER_NUMPY, OVER_FAISS, CPU_MS, ENROLLED, STRAIGHT = 3.0, 1.2, 130, 50_000, 0.99
PEERS = sorted((HERE.parent / ".venv-peers" / "lib").glob("python*/site-packages"))


def report_speed() -> None:
    """On as many threads as there are, two at most; then on one, for processor time."""
    threads = min(2, cores())
    try:
        both = run(MILLION, LENGTH, threads=threads, rounds=ROUNDS, sizes=SIZES, peers=PEERS)
        alone = run(MILLION, LENGTH, threads=1, rounds=ROUNDS, sizes=[MILLION], peers=PEERS)
    except DoorwardError as error:
        print(f"Speed was not measured: {error}")
        return
    machine = both["machine"]
    print(
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f} before; {ROUNDS} turns"
    )
    for town in (*both["towns"], *alone["towns"]):
        print(f"{town['people']:,} people:")
        for name, ms in town["ms"].items():
            print(
                f"  {name:26} best {ms['best']:7.2f} median {ms['median']:7.2f}"
                f" processor best {ms['cpu_best']:7.2f} median {ms['cpu_median']:7.2f} ms"
            )
    towns = {town["people"]: town["ms"] for town in both["towns"]}
    for people in (MILLION, SMALL):
        for ours in (OURS, PREPARED):
            _over(towns[people], ours, NUMPY, f"{people:,} x {LENGTH}, {threads} threads", OVER_NUMPY)
    _over(towns[MILLION], OURS, FAISS, f"{MILLION:,} x {LENGTH}, {threads} threads", OVER_FAISS)
    _over(towns[MILLION], OURS, USEARCH, f"{MILLION:,} x {LENGTH}, {threads} threads", None)
    cpu = alone["towns"][0]["ms"][OURS]["cpu_median"]
    what = f"processor time, {MILLION:,} x {LENGTH}, one thread"
    tell(Figure(what, f"{cpu:.0f} ms", f"<= {CPU_MS} ms", cpu <= CPU_MS))
    _growth(both["towns"])
    _rest(both)


def _over(ms: dict[str, Any], ours: str, peer: str, where: str, limit: float | None) -> None:
    """Best over best decides, as the least disturbed turn of each; medians beside it."""
    if peer not in ms:
        print(f"{peer} was not compared: `make peers` installs it.")
        return
    best, median = (ms[ours][kind] / ms[peer][kind] for kind in ("best", "median"))
    told = f"{best:.2f} x (medians {median:.2f} x; {ms[ours]['best']:.1f} and {ms[peer]['best']:.1f} ms)"
    met = None if limit is None else best <= limit
    tell(Figure(f"{ours} over {peer}, {where}", told, f"<= {limit} x" if limit else "", met))


def _growth(towns: list[dict[str, Any]]) -> None:
    people = np.array([town["people"] for town in towns], float)
    ms = np.array([town["ms"][PREPARED]["best"] for town in towns])
    slope, start = np.polyfit(people, ms, 1)
    rest = ms - (start + slope * people)
    straight = 1 - float(rest @ rest) / float(((ms - ms.mean()) ** 2).sum())
    told = f"{start:.1f} ms and {1e6 * slope:.1f} ms a million; R2 {straight:.4f}"
    tell(Figure("growth from 100,000", told, f"R2 >= {STRAIGHT}", straight >= STRAIGHT))


def _rest(found: dict[str, Any]) -> None:
    memory, rate, error = found["memory"], found["enrolled_a_second"]["wall"], found["cosine_error"]
    more = (memory["peak"] - memory["before"]) / memory["blocks"]
    tell(Figure("templates sealed a second", f"{rate:,.0f}", f">= {ENROLLED:,}", rate >= ENROLLED))
    whole = f"{memory['peak'] / memory['blocks']:.2f} x with what the process held before"
    tell(Figure("memory of matcher and key holder over blocks", f"{more:.2f} x ({whole})"))
    tell(Figure("cosine off by, one sigma", f"{error['sigma']:.4f}"))
    tell(Figure("bytes a template", f"{found['bytes_a_template']:.0f}"))
