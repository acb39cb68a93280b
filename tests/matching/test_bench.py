"""`doorward matcher bench` measures what it says, of answers that are right."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from doorward.app import cli
from doorward.app.bench.contenders import OURS, PREPARED, STEPS, Clear, Contender, Ours
from doorward.app.bench.measuring import _turn
from doorward.app.bench.running import run, sizes_upto
from doorward.app.bench.town import Templates, Town, build, seen_again, templates_of
from doorward.core.errors import Invalid, Tampered, Unavailable
from doorward.matching.parameters import BLOCK_SIZE

LIAR = """
import numpy as np
omp_set_num_threads = print
class IndexFlatIP:
    def __init__(self, length): pass
    def add(self, people): self.people = people
    def search(self, face, count): return None, np.argsort(self.people @ face[0])[-2:-1][None]
"""
PEOPLE, LENGTH = 2 * BLOCK_SIZE + 300, 64


@pytest.fixture(scope="module")
def town() -> Town:
    return build(PEOPLE, LENGTH, threads=2)


@pytest.fixture(scope="module")
def rows() -> Templates:
    return templates_of(0, PEOPLE, LENGTH)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        cli.main(["matcher", "bench", *words])
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


def test_every_step_and_peer_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "matching.svg"
    words = ("3000", "32", "--threads", "1", "--rounds", "3", "--plot", str(plot), "--json")
    code, out, _ = told(capsys, *words)
    assert code == 0
    found = json.loads(out)
    assert [town["people"] for town in found["towns"]] == [1000, 2000, 3000]
    for town in found["towns"]:
        ms = town["ms"]
        assert {OURS, PREPARED, "numpy", "encrypt, prepared", *STEPS} <= set(ms)
        assert all(0 < each["best"] <= each["median"] for each in ms.values())
        # The steps are timed within the whole, so that none can be left out of it.
        assert sum(ms[step]["best"] for step in STEPS) <= ms[OURS]["best"] * 1.0001
    assert found["memory"]["peak"] > found["memory"]["blocks"] == 2 * BLOCK_SIZE * 32 * 4
    assert 0.003 < found["cosine_error"]["sigma"] < 0.008
    drawing = ElementTree.fromstring(plot.read_text(encoding="utf8"))
    assert len(drawing.findall("{*}polyline")) == len(set(found["towns"][0]["ms"]) - {*STEPS}) - 1


def test_it_reads_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, "500", "16", "--threads", "1", "--rounds", "1")
    assert code == 0
    assert re.search(r"NumPy float32.* 1\.00 x", out)
    assert "decrypt and decide" in out and "one sigma" in out
    assert "Sealing 500" in err


@pytest.mark.parametrize(
    "words",
    [
        ("0", "128"),
        ("1000", "513"),
        ("1000", "0"),
        ("1000", "128", "--rounds", "0"),
        ("1000", "128", "--threads", "4096"),
        ("1000", "128", "--plot", "matching.png"),
        ("100000000000", "128"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, *words)[0] == 2


@pytest.mark.parametrize(
    ("library", "said"), [("raise RuntimeError('broken')", "broken"), (LIAR, "faiss found another person")]
)
def test_a_peer_that_fails_or_errs_ends_it(library: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "faiss.py").write_text(library, encoding="utf8")
    with pytest.raises(Unavailable, match=said):
        run(100, 16, threads=1, rounds=1, sizes=[100], peers=[tmp_path])


def test_sizes_end_with_the_one_asked_for() -> None:
    assert sizes_upto(700) == [700]
    assert sizes_upto(20_000) == [1000, 2000, 5000, 10_000, 20_000]


def test_the_same_people_whenever_they_are_drawn(rows: Templates) -> None:
    assert (templates_of(BLOCK_SIZE, 2 * BLOCK_SIZE, LENGTH) == rows[BLOCK_SIZE : 2 * BLOCK_SIZE]).all()


def test_a_smaller_town_is_searched_as_if_the_rest_had_never_come(town: Town, rows: Templates) -> None:
    small = town.first(BLOCK_SIZE + 7)
    seen = seen_again(rows[-1], 0.99, np.random.default_rng(1))
    assert Ours(town, 1, prepared=False).find(seen) == PEOPLE - 1
    assert Ours(small, 1, prepared=True).find(seen) != PEOPLE - 1
    assert sum(one.keys.count() for one in small.shelves) == small.people


def test_an_answer_that_is_wrong_is_never_timed(rows: Templates) -> None:
    face = seen_again(rows[5], 0.9, np.random.default_rng(2))
    cosines = rows @ face
    right: Contender = Clear("right", lambda _: 5)
    assert _turn(right, face, cosines).wall > 0
    for wrong in (Clear("another", lambda _: 4), Clear("nobody", lambda _: -1)):
        with pytest.raises(Tampered):
            _turn(wrong, face, cosines)


def test_strangers_are_nobody(town: Town) -> None:
    stranger = templates_of(10 * BLOCK_SIZE, 10 * BLOCK_SIZE + 1, LENGTH)[0]
    cosines = templates_of(0, PEOPLE, LENGTH) @ stranger
    found = Ours(town, 2, prepared=False).find(stranger)
    assert found == (-1 if cosines.max() < 0.45 else int(cosines.argmax()))


def test_no_town_is_larger_than_what_was_sealed() -> None:
    with pytest.raises(Invalid):
        run(10, 16, threads=1, rounds=1, sizes=[20])
