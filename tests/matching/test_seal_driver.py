"""The search whose cryptography is SEAL's alone: exact, and as unforgeable as ours."""

import builtins
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doorward.core.errors import Invalid, Tampered, Unavailable
from doorward.matching import seal_library
from doorward.matching.matcher import Answer
from doorward.matching.parameters import BLOCK_SIZE
from doorward.matching.parameters import MODULUS as Q
from doorward.matching.seal_driver import (
    SCALE,
    SealedBlock,
    SealKeys,
    SealShelf,
    seal,
    stored,
    unseal,
)
from doorward.matching.seal_library import SealLibrary
from tests.matching.shelves import SITE, near, people

LENGTH = 16


class Stocked:
    def __init__(self, library: SealLibrary) -> None:
        self.templates = people(BLOCK_SIZE + 500, LENGTH, 1)
        self.steps = stored(self.templates, SITE)
        self.keys, self.library, self.secrets = SealKeys(LENGTH, library), library, []
        self.blocks: list[SealedBlock] = []
        for place, low in enumerate((0, BLOCK_SIZE)):
            part = self.steps[low : low + BLOCK_SIZE]
            block, secret = seal(part, library)
            self.keys.put(place, secret, block, None)
            for slot in range(len(part)):
                self.keys.let_live(place, slot)
            self.blocks.append(block)
            self.secrets.append(secret)
        self.shelf = SealShelf(self.blocks)


@pytest.fixture(scope="module")
def library() -> SealLibrary:
    return SealLibrary()


@pytest.fixture(scope="module")
def stocked(library: SealLibrary) -> Stocked:
    return Stocked(library)


def test_scores_are_those_of_whole_numbers_exactly(stocked: Stocked) -> None:
    for who in range(0, len(stocked.templates), 150):
        (question,) = stored(near(stocked.templates[who], 0.8, who)[None], SITE)
        answer = stocked.shelf.answer(question, threads=2)
        stocked.keys.check(question, answer)
        found, truth = stocked.keys.nearest(answer), stocked.steps @ question
        assert found and found.block * BLOCK_SIZE + found.slot == int(truth.argmax())
        assert round(found.score * SCALE**2) == truth.max()


def test_a_block_comes_out_as_it_went_in_under_a_fresh_key_each_time(stocked: Stocked) -> None:
    opened = unseal(stocked.blocks[1], stocked.secrets[1], stocked.library)
    assert (opened[:500] == stocked.steps[BLOCK_SIZE:]).all() and not opened[500:].any()
    block, secret = seal(stocked.steps[:5], stocked.library)
    assert secret.saved != stocked.secrets[1].saved
    with pytest.raises(Tampered):
        unseal(block, stocked.secrets[1], stocked.library)
    assert (unseal(block, secret, stocked.library)[:5] == stocked.steps[:5]).all()


def test_forged_stale_and_cut_answers_are_found_out(stocked: Stocked) -> None:
    (question,) = stored(stocked.templates[3:4], SITE)
    stale, _ = seal(stocked.steps[:BLOCK_SIZE], stocked.library)
    answers = [SealShelf(list(reversed(stocked.blocks))).answer(question)]
    answers.append(SealShelf([stale, stocked.blocks[1]]).answer(question))
    for half in ("face", "mask"):
        answer = stocked.shelf.answer(question)
        words = getattr(answer, half)
        words[1, 77] = (int(words[1, 77]) + 1) % Q
        answers.append(answer)
    honest = stocked.shelf.answer(question)
    answers += [Answer(honest.face[:1], honest.mask[:1]), Answer(honest.face, honest.mask[:, :9])]
    for answer in answers:
        with pytest.raises(Tampered):
            stocked.keys.check(question, answer)
    stocked.keys.check(question, honest)


def test_the_buried_are_not_found_and_a_block_can_be_sealed_anew(stocked: Stocked) -> None:
    (question,) = stored(stocked.templates[BLOCK_SIZE + 9 : BLOCK_SIZE + 10], SITE)
    stocked.keys.bury(1, 9)
    found = stocked.keys.nearest(stocked.shelf.answer(question))
    assert found and (found.block, found.slot) != (1, 9)
    stocked.keys.let_live(1, 9)
    block, secret = seal(stocked.steps[BLOCK_SIZE:], stocked.library)
    stocked.keys.put(1, secret, block, stocked.blocks[1])
    stocked.blocks[1], stocked.secrets[1] = block, secret
    stocked.shelf = SealShelf(stocked.blocks)
    answer = stocked.shelf.answer(question)
    stocked.keys.check(question, answer)
    found = stocked.keys.nearest(answer)
    assert found and (found.block, found.slot) == (1, 9)


def test_512_coordinates_are_exact_too(library: SealLibrary) -> None:
    steps = stored(people(20, 512, 5), SITE)
    block, secret = seal(steps, library)
    keys = SealKeys(512, library)
    keys.put(0, secret, block, None)
    for slot in range(20):
        keys.let_live(0, slot)
    found = keys.nearest(SealShelf([block]).answer(steps[7]))
    assert found and found.slot == 7 and round(found.score * SCALE**2) == steps[7] @ steps[7]


def test_an_empty_shelf_finds_nobody(library: SealLibrary) -> None:
    (question,) = stored(people(1, LENGTH, 1), SITE)
    answer, keys = SealShelf([]).answer(question), SealKeys(LENGTH, library)
    keys.check(question, answer)
    assert keys.nearest(answer) is None


def test_what_is_no_template_is_refused(stocked: Stocked) -> None:
    forms: list[Any] = [
        np.full(LENGTH, SCALE, np.int32),
        np.zeros(LENGTH, np.int64),
        np.zeros((1, LENGTH), np.int32),
    ]
    for bad in forms:
        with pytest.raises(Invalid):
            stocked.shelf.answer(bad)
    with pytest.raises(Invalid):
        seal(np.full((1, LENGTH), SCALE, np.int32), stocked.library)
    with pytest.raises(Invalid):
        stocked.keys.put(5, stocked.secrets[0], stocked.blocks[0], None)


def test_bytes_that_are_no_key_are_refused(library: SealLibrary) -> None:
    saved = library.key_bytes(library.fresh_key())
    for bad in (b"", b"x" * 100, saved[:500]):
        with pytest.raises(Tampered):
            library.key_from(bad)


def test_a_forked_process_never_writes_to_its_parents_file(stocked: Stocked) -> None:
    before = stocked.library._file
    child = os.fork()
    if child == 0:
        opened = unseal(stocked.blocks[1], stocked.secrets[1], stocked.library)
        alone = stocked.library._process == os.getpid() and os.fstat(stocked.library._file).st_nlink == 0
        os._exit(0 if alone and (opened[:500] == stocked.steps[BLOCK_SIZE:]).all() else 1)
    for _ in range(5):
        opened = unseal(stocked.blocks[1], stocked.secrets[1], stocked.library)
        assert (opened[:500] == stocked.steps[BLOCK_SIZE:]).all()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert stocked.library._file == before


def test_nothing_secret_stays_in_the_nameless_file(stocked: Stocked) -> None:
    library = stocked.library
    assert os.fstat(library._file).st_size == 0
    assert os.fstat(library._file).st_mode & 0o777 == 0o600
    assert "memfd:" in str(Path(library._path).readlink())


def test_without_the_library_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("tenseal"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    seal_library._seal.cache_clear()
    with pytest.raises(Unavailable, match=r"install doorward\[seal\]"):
        SealLibrary()
