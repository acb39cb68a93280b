"""A blind search finds whom a search in the clear finds."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from doorward.core.errors import Invalid, Tampered
from doorward.matching.blocks import Mask, centred, seal, unseal
from doorward.matching.keyholder import Nearest, ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.parameters import BLOCK_SIZE, GRID, MODULUS, SCORE_SCALE
from doorward.matching.queries import Asker
from doorward.matching.ring import STRIP, forward
from doorward.matching.rotation import asked, stored
from tests.matching.shelves import SITE, Stocked, Templates, near, people, question, stock

ROUNDING = 12**-0.5 / 70
ERRORS = 10.5**0.5 / (GRID * 70)


def sigma(full: int) -> float:
    """How far a cosine is off when so many share its block: docs/security/matching.md."""
    return float(np.hypot(np.hypot(ROUNDING, ERRORS), 10.5**0.5 * GRID * 70 * full**0.5 / SCORE_SCALE))


def search(stocked: Stocked, template: Templates, threads: int = 1) -> Nearest | None:
    key = question(template)
    answer = stocked.shelf.answer(key.query, threads=threads)
    stocked.keys.check(key, answer, threads=threads)
    return stocked.keys.nearest(key, answer, threads=threads)


def place_of(found: Nearest | None) -> int:
    assert found
    return found.block * BLOCK_SIZE + found.slot


@pytest.fixture(scope="module")
def town() -> Stocked:
    return stock(people(2 * BLOCK_SIZE + 300, 128, 1))


def test_thousands_of_faces_are_found_as_in_the_clear(town: Stocked) -> None:
    """Every 25th of 4,396, seen again: whom the clear search finds by more than its doubt, ours finds."""
    for who in range(0, len(town.templates), 25):
        seen = near(town.templates[who], 0.6, who)
        cosines = town.templates @ seen
        runner_up, best = np.sort(cosines)[-2:]
        found = search(town, seen)
        if best - runner_up > 6 * 2**0.5 * sigma(BLOCK_SIZE):
            assert place_of(found) == int(cosines.argmax()) == who
        assert found and abs(found.score - best) < 6 * sigma(BLOCK_SIZE)


def test_each_of_thousands_has_its_own_place() -> None:
    """Real-like: people in clusters, as faces are, so that the second best is near."""
    centres = people(30, 128, 2)
    rows = np.concatenate([centres[i % 30] * 0.6 + 0.8 * row for i, row in enumerate(people(3000, 128, 3))])
    faces = rows.reshape(3000, 128)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    stocked = stock(faces)
    for who in range(7, 3000, 60):
        assert place_of(search(stocked, faces[who])) == who


@pytest.mark.parametrize("full", [1, 40, 700, BLOCK_SIZE])
def test_scores_are_off_by_what_the_noise_analysis_says(full: int) -> None:
    faces = people(full, 128, full)
    stocked = stock(faces)
    off = []
    for trial in range(max(4, min(40, 2000 // full))):
        seen = near(faces[trial % full], 0.5, trial)
        key = question(seen)
        answer = stocked.shelf.answer(key.query)
        for slot in range(0, full, max(1, full // 40)):
            score = stocked.keys.score_of(key, answer, 0, slot)
            assert score is not None
            off.append(score - float(faces[slot] @ seen))
    # Rounding is drawn once a face, so few faces say little about it.
    few = 3 if full == 1 else 1.35
    assert sigma(full) / few < np.std(off) + abs(np.mean(off)) < few * sigma(full)


@pytest.mark.parametrize("length", [1, 2, 31, 512])
def test_templates_of_any_length(length: int) -> None:
    faces = people(50, length, 5) if length > 2 else np.eye(length, dtype=np.float32)
    stocked = stock(faces)
    for who in range(0, len(faces), 7):
        assert place_of(search(stocked, faces[who])) == who


@pytest.mark.parametrize("blocks", [STRIP - 1, STRIP, STRIP + 1, 64])
def test_shelves_of_any_size_on_any_number_of_threads(blocks: int) -> None:
    faces = people(blocks, 8, 11)
    mask = Mask.fresh(8)
    keys, shelf = ShelfKeys(mask), Shelf([])
    for place in range(blocks):
        block, secret = seal(np.concatenate([stored(faces[place : place + 1], SITE)] * 2), mask)
        keys.put(place, secret, block, None)
        keys.let_live(place, 1)  # slot 0 holds the same face, and nobody
        shelf = shelf.with_block(place, block)
    for place in {0, blocks // 2, blocks - 1}:
        key = question(faces[place])
        for threads in (1, 2, 5):
            answer = shelf.answer(key.query, threads=threads)
            keys.check(key, answer, threads=threads)
            found = keys.nearest(key, answer, threads=threads)
            assert found and abs(found.score - 1) < 0.05
            assert (found.block, found.slot) == (place, 1)
            assert keys.score_of(key, answer, place, 1) == found.score
            assert keys.score_of(key, answer, place, 0) is None


def test_the_buried_are_never_found(town: Stocked) -> None:
    who = 2 * BLOCK_SIZE + 7
    assert place_of(search(town, town.templates[who])) == who
    before = town.keys.count()
    town.keys.bury(2, 7)
    assert town.keys.count() == before - 1
    assert place_of(search(town, town.templates[who])) != who
    town.keys.let_live(2, 7)
    assert place_of(search(town, town.templates[who])) == who


def test_nobody_is_found_where_nobody_lives() -> None:
    stocked = stock(people(3, 16, 1))
    for slot in range(3):
        stocked.keys.bury(0, slot)
    assert search(stocked, stocked.templates[0]) is None
    empty = ShelfKeys(Mask.fresh(16))
    key = question(stocked.templates[0])
    answer = Shelf([]).answer(key.query)
    empty.check(key, answer)
    assert empty.nearest(key, answer) is None and len(empty) == empty.count() == 0


def test_a_block_sealed_anew_is_searched_like_the_old_one(town: Stocked) -> None:
    faces = people(5, 16, 1)
    stocked = stock(faces)
    block, secret = seal(stored(faces, SITE), stocked.keys.mask)
    stocked.keys.put(0, secret, block, stocked.shelf.block(0))
    stocked.shelf = stocked.shelf.with_block(0, block)
    assert place_of(search(stocked, faces[3])) == 3
    assert len(stocked.keys) == len(stocked.shelf) == 1


@pytest.mark.parametrize(("place", "slot"), [(1, 0), (-1, 0), (0, -1), (0, BLOCK_SIZE), (64, 0)])
def test_places_that_do_not_exist_are_refused(place: int, slot: int) -> None:
    stocked = stock(people(3, 16, 1))
    key = question(stocked.templates[0])
    for deed in (stocked.keys.let_live, stocked.keys.bury):
        with pytest.raises(Invalid):
            deed(place, slot)
    with pytest.raises(Invalid):
        stocked.keys.score_of(key, stocked.shelf.answer(key.query), place, slot)


def test_blocks_come_one_after_the_other_and_fit_their_mask() -> None:
    stocked = stock(people(3, 16, 1))
    keys, block, secret = stocked.keys, stocked.shelf.block(0), stocked.secrets[0]
    for place, former in ((2, None), (0, None), (1, block), (-1, block)):
        with pytest.raises(Invalid):
            keys.put(place, secret, block, former)
    for bad in (block[:, :8].copy(), block.astype(np.int64), block[::2]):
        with pytest.raises(Invalid):
            keys.put(1, secret, bad, None)  # type: ignore[arg-type]
        with pytest.raises(Invalid):
            stocked.shelf.with_block(1, bad)  # type: ignore[arg-type]
    for place in (-1, 2):
        with pytest.raises(Invalid):
            stocked.shelf.with_block(place, block)
    with pytest.raises(Invalid):
        Shelf([block] * 65)
    with pytest.raises(Invalid):
        stocked.shelf.answer(question(people(1, 8, 1)[0]).query)
    with pytest.raises(Invalid):
        keys.nearest(question(people(1, 8, 1)[0]), stocked.shelf.answer(question(people(1, 16, 1)[0]).query))


def test_no_encryption_of_zero_serves_twice() -> None:
    asker = Asker(16, ahead=3)
    asker.prepare()
    numbers, keys = asked(people(1, 16, 1)[0], SITE), []
    ask = [threading.Thread(target=lambda: keys.append(asker.ask(numbers))) for _ in range(8)]
    for one in ask:
        one.start()
    for one in ask:
        one.join()
    assert len({key.query.mask_seed for key in keys}) == 8
    assert len({key.query.face.tobytes() for key in keys}) == 8


FORK = """
import os, numpy as np
from doorward.matching.queries import Asker
from doorward.matching.sharing import spread

def share():
    done = []
    spread(lambda start, end: done.append(end - start), 10, threads=2)
    return sum(done)

asker, numbers = Asker(4), np.ones(4, np.int32)
asker.prepare()
share()
child = os.fork()
os.write(1, f"{asker.ask(numbers).query.mask_seed.hex()} {share()}\\n".encode())  # at once, not in pieces
if child:
    os._exit(os.waitpid(child, 0)[1])
os._exit(0)
"""


def test_a_forked_process_asks_with_encryptions_of_its_own_and_threads_of_its_own() -> None:
    told = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, check=True, timeout=90
    )
    (first, tens), (second, others) = (line.split() for line in told.stdout.splitlines())
    assert first != second and tens == others == "10"


def test_adding_whole_steps_to_a_block_goes_unseen_so_its_hash_must_be_compared() -> None:
    """A limit, written down in docs/security/matching.md: ciphertexts can be changed in a meaningful way."""
    stocked = stock(people(3, 16, 1))
    extra = np.zeros((BLOCK_SIZE, 16), np.uint32)
    extra[1, 4] = 5 * GRID
    forward(extra)
    changed = centred(((stocked.shelf.block(0).astype(np.int64) + extra) % MODULUS).astype(np.uint32))
    opened = unseal(changed, stocked.secrets[0], stocked.keys.mask)
    assert opened[1, 4] == stored(stocked.templates, SITE)[1, 4] + 5
    key = question(stocked.templates[1])
    with pytest.raises(Tampered):
        stocked.keys.check(key, Shelf([changed]).answer(key.query))
