"""Killed at any moment, a matcher comes back whole, and whoever asked meanwhile was told so."""

import random
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from doorward.core.errors import Unavailable
from doorward.gallery.model import Wanted
from doorward.matching import messages
from doorward.matching.block_files import NAME
from doorward.matching.matcher import Answer
from tests.matcher.world import Decider, Raw, Running, same, serving


def blocks_of(running: Running) -> list[Path]:
    return [path for path in (running.folder / "blocks").rglob("*") if path.is_file()]


def test_killed_in_the_middle_of_a_block(place: Path, decider: Decider) -> None:
    with serving(place / "half", decider, tls=False) as running:
        (digest,) = decider.sealed()
        line = Raw(running, decider).half("put", messages.encode_put(digest, decider.blocks.get(digest)))
        time.sleep(0.05)
        running.again()
        line.close()
        assert blocks_of(running) == []
        wanted, query = [Wanted("shelf_1", (digest,))], decider.query()
        assert same(decider.matcher(running).answer(query, wanted), decider.truth(query, wanted))


def test_half_written_files_go_at_the_next_start(place: Path, decider: Decider) -> None:
    with serving(place / "rest", decider) as running:
        (digest,) = decider.sealed()
        wanted, query = [Wanted("shelf_1", (digest,))], decider.query()
        decider.matcher(running).answer(query, wanted)
        running.kill()
        (held,) = blocks_of(running)
        (held.parent / "tmp0half").write_bytes(b"half")
        running.start()
        assert blocks_of(running) == [held]


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_while_blocks_arrive(place: Path, decider: Decider, seed: int) -> None:
    with serving(place / f"arriving{seed}", decider) as running:
        wanted, query = [Wanted("shelf_1", decider.sealed(40))], decider.query()
        matcher = decider.matcher(running)
        killing = threading.Timer(random.Random(seed).uniform(0.02, 0.15), running.process.kill)  # type: ignore[union-attr]
        killing.start()
        with suppress(Unavailable):  # or it was quicker
            assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
        killing.join()
        running.again()
        assert all(NAME.fullmatch(path.name) for path in blocks_of(running))
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))


def test_killed_while_it_searches(place: Path, decider: Decider) -> None:
    """Each search ends in the truth or in `Unavailable`; what one was told of is never a part."""
    with serving(place / "searching", decider) as running:
        wanted, query = [Wanted("shelf_1", decider.sealed(8))], decider.query()
        matcher = decider.matcher(running)
        matcher.answer(query, wanted)
        answered: list[list[Answer]] = []
        failed: list[str] = []

        def ask() -> None:
            while not failed:
                try:
                    answered.append(matcher.answer(query, wanted))
                except Unavailable as error:
                    failed.append(str(error))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert running.process is not None
        running.process.kill()
        for thread in threads:
            thread.join(10)
        assert failed
        truth = decider.truth(query, wanted)
        assert answered
        assert all(same(one, truth) for one in answered)
        running.again()
        assert same(matcher.answer(query, wanted), truth)


def test_what_was_said_before_a_restart_is_refused_after_it(place: Path, decider: Decider) -> None:
    with serving(place / "replayed", decider, tls=False) as running:
        body = messages.encode_list(messages.Kind.KEEP, [])
        raw = Raw(running, decider)
        unsent = raw.signed("keep", body)
        request, answer = raw.post("keep", body)
        assert answer.status_code == 200
        running.again()
        again = httpx.Client(base_url=running.facts["url"], trust_env=False)
        for old in (request, unsent):
            said = again.post("/v1/keep", content=body, headers={"doorward-proof": old.header})
            assert said.status_code == 409
        again.close()
