"""Blocks in an S3-compatible store, spoken to over its own protocol."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import obstore
import obstore.store
import pytest

from doorward.core.errors import Invalid, NotFound, Unavailable
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import Wanted
from doorward.matching.block_files import FolderBlocks
from doorward.matching.block_objects import ObjectBlocks
from tests.matcher.world import Decider, same, serving, until

BUCKET = "blocks"


class Store:
    """A store of its own process, with one empty bucket."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def is_up(self) -> bool:
        request = urllib.request.Request(f"{self.url}/{BUCKET}", method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def objects(self) -> Any:
        """The bucket, past our own driver."""
        return obstore.store.S3Store.from_url(
            f"s3://{BUCKET}", endpoint=self.url, client_options={"allow_http": True}
        )

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def started() -> Iterator[Store]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    store = Store(port)
    try:
        until(store.is_up, seconds=60)
        yield store
    finally:
        store.stop()


@pytest.fixture
def store(started: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return started


def opened(store: Store, folder: Path, prefix: str = "site", *, reads_only: bool = False) -> ObjectBlocks:
    url = f"s3://{BUCKET}/{prefix}"
    return ObjectBlocks(url, FolderBlocks(folder), endpoint=store.url, reads_only=reads_only)


def cells(seed: int) -> Any:
    return np.random.default_rng(seed).integers(-99, 99, (2048, 4), dtype=np.int32)


def test_a_block_is_there_for_whoever_has_the_bucket(store: Store, tmp_path: Path) -> None:
    digest = opened(store, tmp_path / "a").put(cells(1))
    other = opened(store, tmp_path / "b")
    assert not other.has(digest)
    assert np.array_equal(other.get(digest), cells(1))
    assert other.has(digest)
    assert other.is_sound(digest)
    held = obstore.get(store.objects(), f"site/{digest[:2]}/{digest}")
    assert bytes(held.bytes()) == cells(1).tobytes()
    with pytest.raises(NotFound):
        opened(store, tmp_path / "c", "another").get(digest)


def test_a_spoilt_copy_here_is_fetched_again(store: Store, tmp_path: Path) -> None:
    blocks = opened(store, tmp_path / "a")
    digest = blocks.put(cells(2))
    (path,) = (tmp_path / "a").glob(f"*/{digest}")
    path.write_bytes(bytes(path.stat().st_size))
    assert np.array_equal(blocks.get(digest), cells(2))


@pytest.mark.parametrize("spoilt", [b"", b"short", bytes(4 * 4 * 2048)])
def test_a_spoilt_object_is_never_believed(store: Store, tmp_path: Path, spoilt: bytes) -> None:
    digest = opened(store, tmp_path / "a").put(cells(3))
    obstore.put(store.objects(), f"site/{digest[:2]}/{digest}", spoilt)
    other = opened(store, tmp_path / "b")
    with pytest.raises(Exception, match="changed"):
        other.get(digest)
    assert not other.is_sound(digest)
    assert not other.has(digest)


def test_a_sweep_finds_and_removes(store: Store, tmp_path: Path) -> None:
    blocks = opened(store, tmp_path / "a", "swept")
    kept, loose = blocks.put(cells(4)), blocks.put(cells(5))
    assert set(opened(store, tmp_path / "b", "swept").names(older_than_seconds=-5)) == {kept, loose}
    assert set(blocks.names(older_than_seconds=600)) == set()
    for _ in range(2):  # gone already is no error
        blocks.remove(loose)
    assert set(opened(store, tmp_path / "b", "swept").names(older_than_seconds=-5)) == {kept}


def test_a_search_reads_from_the_store(store: Store, tmp_path: Path, decider: Decider) -> None:
    digests = decider.sealed(3)
    there = opened(store, tmp_path / "a")
    for digest in digests:
        there.put(decider.blocks.get(digest))
    wanted, query = [Wanted("shelf_1", digests)], decider.query()
    matcher = LocalMatcher(opened(store, tmp_path / "b", reads_only=True))
    assert same(matcher.answer(query, wanted), decider.truth(query, wanted))


def test_a_matcher_reads_the_store_and_changes_nothing_there(
    store: Store, tmp_path: Path, place: Path, decider: Decider
) -> None:
    digests = decider.sealed(2)
    there = opened(store, tmp_path / "a", "shared")
    there.put(decider.blocks.get(digests[0]))  # the other is sent by the decider
    with serving(place / "objects", decider, objects=f"s3://{BUCKET}/shared", endpoint=store.url) as running:
        wanted, query = [Wanted("shelf_1", digests)], decider.query()
        matcher = decider.matcher(running)
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
        assert {path.name for path in running.files} >= set(digests)
        matcher.keep({"ab" * 32})
    assert set(opened(store, tmp_path / "b", "shared").names(older_than_seconds=-5)) == {digests[0]}


def test_a_store_that_is_away_is_no_answer(store: Store, tmp_path: Path) -> None:
    url = f"s3://{BUCKET}/site"
    blocks = ObjectBlocks(url, FolderBlocks(tmp_path), endpoint="http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(Unavailable):
        blocks.get("ab" * 32)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://bucket", None),
        ("file:///etc", None),
        ("s3://", None),
        ("s3://bucket", "http://192.0.2.1"),
        ("s3://bucket", "ftp://store"),
    ],
)
def test_only_a_bucket_behind_tls_is_a_store(tmp_path: Path, url: str, endpoint: str | None) -> None:
    with pytest.raises(Invalid):
        ObjectBlocks(url, FolderBlocks(tmp_path), endpoint=endpoint)
