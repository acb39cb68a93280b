"""Starts the workers that a matcher's settings ask for, and stops them with it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from doorward.core.clock import Clock
from doorward.core.errors import Unavailable
from doorward_matcher.cluster_files import CERTIFICATE, KEY, environment_of, make_cluster_files
from doorward_matcher.config import BLOCKS, Config
from doorward_matcher.ray_shards import Plan, RayShards

CLUSTER: Final = "cluster"
OWN: Final = "workers"
CONNECT_SECONDS: Final = 5.0


@contextmanager
def workers_of(config: Config, folder: Path, clock: Clock) -> Iterator[RayShards | None]:
    """The workers, ready to search; None where one process searches by itself."""
    if not config.workers:
        yield None
        return
    files = folder / CLUSTER
    if config.cluster is None:
        make_cluster_files(files, own_addresses(), clock())
    else:
        environment_of(files)
        _require_ours(config.cluster, files)
    each = config.threads or (1 if config.cluster else max(1, config.search_threads // config.workers))
    plan = Plan(
        workers=config.workers,
        threads=each,
        at_once=config.searches_at_once,
        environment=environment_of(files),
        own=folder.resolve() / OWN,
        cluster=config.cluster,
    )
    shards = RayShards(plan, folder.resolve() / BLOCKS)
    try:
        yield shards
    finally:
        shards.close()


def _require_ours(cluster: str, files: Path) -> None:
    """Whether who listens there has our certificate: Ray itself would go on trying for minutes."""
    host, _, port = cluster.rpartition(":")
    ours = ssl.create_default_context(cafile=str(files / CERTIFICATE))
    ours.load_cert_chain(files / CERTIFICATE, files / KEY)
    try:
        with socket.create_connection((host, int(port)), CONNECT_SECONDS) as line:
            ours.wrap_socket(line, server_hostname=host).close()
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"No cluster at {cluster} lets this machine in: start it, and give all machines the same files."
        ) from error


def own_addresses() -> list[str]:
    """Each address that Ray may take for this machine's: never the loopback one. Nothing is sent."""
    found = {"127.0.0.1"}
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 53))
        found.add(str(probe.getsockname()[0]))
    with suppress(OSError):
        found.add(socket.gethostbyname(socket.gethostname()))
    return sorted(found)
