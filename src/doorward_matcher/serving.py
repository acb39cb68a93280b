"""Starts the matcher, or refuses with a sentence when that would expose anything."""

import asyncio
import fcntl
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from doorward.core.clock import Clock
from doorward.core.connections import LONGEST_HEAD, PatientConnection
from doorward.core.errors import Conflict, Invalid, Unavailable
from doorward.core.key_files import load_key_file, public_text
from doorward.core.tls import ensure_certificate, fingerprint
from doorward.matching.block_files import FolderBlocks
from doorward.matching.block_objects import ObjectBlocks
from doorward_matcher.config import BLOCKS, KEY_FILE, Config, load_config
from doorward_matcher.counter import Counter, Kept, warm_up
from doorward_matcher.front import Front, routes_of
from doorward_matcher.memory import give_back
from doorward_matcher.workers import workers_of

MOST_CONNECTIONS = 128
REQUEST_SECONDS = 60.0
MADE_WITH = "doorward-matcher init"
Tell = Callable[[Mapping[str, object]], None]


class BoundedConnection(PatientConnection):
    """A connection that also ends when a request and its answer take too long, whoever is slow."""

    most = MOST_CONNECTIONS
    request_seconds = REQUEST_SECONDS

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limit: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Start counting once a head is whole."""
        super().data_received(data)
        if not self.is_waiting and self._limit is None:
            self._limit = self.loop.call_later(self.request_seconds, self._let_go)

    def on_response_complete(self) -> None:
        """All was said in time."""
        self._stop_counting()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to count."""
        self._stop_counting()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Let a silent client go at once: one that does not read would hold up the end of TLS, and ours."""
        if self.is_waiting:
            self.transport.abort()
        else:
            super().shutdown()

    def _stop_counting(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


def serve(folder: Path, clock: Clock, tell: Tell) -> None:
    """Serve until stopped."""
    config = load_config(folder)
    key = load_key_file(folder / KEY_FILE, made_with=MADE_WITH)
    deciders = config.decider_keys()
    with _alone(folder), workers_of(config, folder, clock) as shards:
        counter = Counter(
            folder / BLOCKS,
            deciders,
            threads=config.search_threads,
            most_blocks=config.most_blocks,
            shards=shards,
            opened=partial(blocks_in, config),
        )
        routes = routes_of(counter, searches_at_once=config.searches_at_once, waiting=config.waiting)
        front = Front(routes, key, deciders, clock)
        files = certificate_files(config, folder, clock)
        server = server_of(front, files, config.client_authority)
        warm_up(config.search_threads)
        give_back()
        with _door(config) as door:
            tell(_facts(config, public_text(key), files, door))
            with suppress(KeyboardInterrupt):
                server.run(sockets=[door])


def blocks_in(config: Config, folder: Path) -> Kept:
    """The blocks of one decider: of this folder, and of the store that they share if one is named."""
    kept = FolderBlocks(folder)
    if config.objects is None:
        return kept
    return ObjectBlocks(config.objects, kept, endpoint=config.endpoint, reads_only=True)


def certificate_files(config: Config, folder: Path, clock: Clock) -> tuple[Path, Path] | None:
    """Certificate and key to serve with; None for plain HTTP."""
    if not config.tls:
        return None
    if config.certificate is not None and config.private_key is not None:
        return config.certificate, config.private_key
    return ensure_certificate(folder, ["localhost", "127.0.0.1", *config.names], clock())


def server_of(front: Front, files: tuple[Path, Path] | None, client_authority: Path | None) -> uvicorn.Server:
    """A server that bounds every connection, and asks for certificates of this authority if one is named."""
    wanted = uvicorn.Config(
        front,
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        h11_max_incomplete_event_size=LONGEST_HEAD,
        proxy_headers=False,
        ssl_certfile=str(files[0]) if files else None,
        ssl_keyfile=str(files[1]) if files else None,
        ssl_ca_certs=str(client_authority) if client_authority else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if client_authority else ssl.CERT_NONE,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
    )
    try:
        wanted.load()
    except (ssl.SSLError, OSError) as error:
        raise Invalid("Certificate, its key or client_authority cannot be read: they must be PEM.") from error
    if wanted.ssl is not None:
        wanted.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    return uvicorn.Server(wanted)


def _facts(
    config: Config, public: str, files: tuple[Path, Path] | None, door: socket.socket
) -> dict[str, object]:
    name = config.names[0] if config.names else config.host
    port = door.getsockname()[1]
    facts: dict[str, object] = {
        "url": f"{'https' if files else 'http'}://{f'[{name}]' if ':' in name else name}:{port}",
        "public_key": public,
    }
    if files:
        facts |= {"certificate": str(files[0]), "certificate_sha256": fingerprint(files[0])}
    return facts


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A lock that ends with the process: two matchers on one folder would miscount."""
    descriptor = os.open(folder / "matcher.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict("A matcher runs on this folder already: stop it, or give each its own.") from error
        yield
    finally:
        os.close(descriptor)


def _door(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        door = socket.create_server((config.host, config.port), family=family, backlog=MOST_CONNECTIONS)
    except OSError as error:
        raise Unavailable(
            f"Nobody can listen at {config.host}, port {config.port}: stop whatever does, or change the port."
        ) from error
    # The loop sees to this only for sockets that name their protocol; without it an answer waits 40 ms.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door
