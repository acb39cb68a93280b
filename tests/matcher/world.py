"""A real matcher in a process of its own, and deciders that ask it over real connections."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.clock import Clock, system_clock
from doorward.core.encoding import from_text
from doorward.core.key_files import public_text
from doorward.gallery.drivers.remote_matcher import RemoteMatcher
from doorward.gallery.drivers.signed_line import FarSide
from doorward.gallery.model import Wanted
from doorward.matching import messages
from doorward.matching.block_files import FolderBlocks
from doorward.matching.blocks import BlockSecret, Mask, seal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Answer, Shelf
from doorward.matching.messages import WantedShelf
from doorward.matching.messages_signed import NO_EPOCH, PROOF_HEADER, read_answer, sign_request
from doorward.matching.queries import Asker, Query

PROGRAM = [sys.executable, "-c", "from doorward_matcher.cli import main; main()"]
LENGTH = 16
OPENED: list[RemoteMatcher | httpx.Client] = []  # by the test that runs


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The program, to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )


@dataclass
class Running:
    """A matcher's folder and its process."""

    folder: Path
    process: subprocess.Popen[str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, *deciders: "Decider", **settings: object) -> "Running":
        words = [word for decider in deciders for word in ("--decider", decider.public)]
        made = run("init", folder, "--port", "0", *words)
        assert made.returncode == 0, made.stderr
        running = cls(folder)
        running.set(**settings)
        return running

    def set(self, **settings: object) -> None:
        path = self.folder / "matcher.toml"
        path.write_text(path.read_text() + "".join(f"{k} = {json.dumps(v)}\n" for k, v in settings.items()))

    def start(self) -> "Running":
        self.process = subprocess.Popen(
            [*PROGRAM, "serve", str(self.folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.facts = json.loads(line)
        return self

    def kill(self) -> None:
        """As a power cut: nothing is tidied up."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def again(self) -> "Running":
        """Killed and started anew, at the same port."""
        port = self.port
        self.kill()
        path = self.folder / "matcher.toml"
        path.write_text(path.read_text().replace("port = 0\n", f"port = {port}\n"))
        return self.start()

    @property
    def port(self) -> int:
        return int(self.facts["url"].rsplit(":", 1)[1])

    @property
    def public(self) -> bytes:
        return from_text(self.facts["public_key"])

    @property
    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@contextmanager
def serving(folder: Path, *deciders: "Decider", **settings: object) -> Iterator[Running]:
    running = Running.make(folder, *deciders, **settings).start()
    try:
        yield running
    finally:
        running.kill()


class Decider:
    """Keys, a folder of sealed blocks, and a way to ask."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.blocks = FolderBlocks(folder)
        self.mask = Mask.fresh(LENGTH)
        self.random = np.random.default_rng(seed)
        self.secrets: dict[str, BlockSecret] = {}
        self.asker = Asker(LENGTH)

    @property
    def public(self) -> str:
        return public_text(self.key)

    def sealed(self, blocks: int = 1) -> tuple[str, ...]:
        """So many blocks of made-up people, kept here and by no matcher yet."""
        digests = []
        for _ in range(blocks):
            steps = self.random.integers(-9, 9, (3, LENGTH)).astype(np.int32)
            cells, secret = seal(steps, self.mask)
            digests.append(digest := self.blocks.put(cells))
            self.secrets[digest] = secret
        return tuple(digests)

    def query(self) -> Query:
        return self.asker.ask(self.random.integers(-9, 9, LENGTH).astype(np.int32)).query

    def matcher(self, running: Running, *, clock: Clock = system_clock, **place: Any) -> RemoteMatcher:
        facts = {"certificate": _path(running.facts.get("certificate")), "url": running.facts["url"]} | place
        public = facts.pop("public_key", Ed25519PublicKey.from_public_bytes(running.public))
        there = FarSide(public_key=public, **facts)
        OPENED.append(matcher := RemoteMatcher(self.blocks, there, lambda: self.key, clock))
        return matcher

    def truth(self, query: Query, wanted: Sequence[Wanted]) -> list[Answer]:
        """What the answers must be."""
        return [Shelf([self.blocks.get(digest) for digest in one.digests]).answer(query) for one in wanted]

    def keys(self, digests: Sequence[str]) -> ShelfKeys:
        keys = ShelfKeys(self.mask)
        for place, digest in enumerate(digests):
            keys.put(place, self.secrets[digest], self.blocks.get(digest), None)
        return keys


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def same(left: Sequence[Answer], right: Sequence[Answer]) -> bool:
    pairs = list(zip(left, right, strict=True))
    return all(np.array_equal(a.face, b.face) and np.array_equal(a.mask, b.mask) for a, b in pairs) and bool(
        pairs
    )


@dataclass
class Raw:
    """Requests byte by byte, past the driver."""

    running: Running
    decider: Decider
    epoch: bytes = NO_EPOCH

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=self.running.facts["url"],
            verify=False,
            trust_env=False,
            timeout=10,
        )
        OPENED.append(self.client)
        request, answer = self.post("among", messages.encode_list(messages.Kind.AMONG, []))
        assert answer.status_code == 409
        public = Ed25519PublicKey.from_public_bytes(self.running.public)
        self.epoch = read_answer(answer.headers[PROOF_HEADER], public, request, 409, answer.content)

    def signed(self, name: str, body: bytes, *, clock: Clock = system_clock, **otherwise: Any) -> Any:
        return sign_request(
            otherwise.get("key", self.decider.key),
            otherwise.get("matcher", self.running.public),
            otherwise.get("epoch", self.epoch),
            f"/v1/{name}",
            body,
            now=clock(),
        )

    def post(self, name: str, body: bytes, **otherwise: Any) -> tuple[Any, httpx.Response]:
        request = self.signed(name, body, **otherwise)
        return request, self.send(name, request.header, otherwise.get("sent", body))

    def send(self, name: str, header: str, body: bytes) -> httpx.Response:
        return self.client.post(f"/v1/{name}", content=body, headers={PROOF_HEADER: header})

    def half(self, name: str, body: bytes) -> socket.socket:
        """A connection that sent a true head and half a body; plain HTTP alone."""
        line = socket.create_connection(("127.0.0.1", self.running.port))
        head = f"POST /v1/{name} HTTP/1.1\r\nhost: x\r\n{PROOF_HEADER}: {self.signed(name, body).header}\r\n"
        line.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
        return line


def search(query: Query, digests: Sequence[str], shelf: str = "shelf_1") -> bytes:
    return messages.encode_search(query, [WantedShelf(shelf, tuple(digests))])


def code_of(answer: httpx.Response) -> str:
    return messages.decode_fault(answer.content)


def until(happens: Any, *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)
