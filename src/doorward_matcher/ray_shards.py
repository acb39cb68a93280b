"""Workers as actors of Ray, on this machine or on many: one that is lost is made anew and asked once more."""

import importlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import numpy as np

from doorward.core.errors import Invalid, Unavailable
from doorward.matching import messages
from doorward.matching.blocks import Cells
from doorward.matching.matcher import Answer
from doorward.matching.messages import Search
from doorward.matching.parameters import RING_DEGREE
from doorward_matcher.placing import Placement
from doorward_matcher.ray_worker import RayWorker, folder_mark
from doorward_matcher.shard import Part

SEARCH_SECONDS: Final = 4.0  # both times of asking together: less than the server waits
ALIVE_SECONDS: Final = 0.5
START_SECONDS: Final = 60.0
AT_A_TIME: Final = 8  # blocks on their way to one worker
ROOM: Final = "shard"  # what a machine says it has room for, and a worker takes one of
STORE_BYTES: Final = 128 << 20  # of shared memory a search: a query, and answers for 16 million faces at most

SLOW = "A worker of the matcher is busy, or still reads its blocks: try again."
GONE = "A worker of the matcher was lost, and another did not answer in time: see to its machine."


class Partial(Unavailable):
    """Not every shelf was searched, so there is no answer."""


class _Lost(Exception):
    """A worker died, hangs, or said what none says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many workers, and where. `cluster` is the address of a running cluster; None makes one here.

    `environment` is what makes every connection the cluster's own. `own` is the folder for blocks on machines
    other than this one.
    """

    workers: int
    threads: int
    at_once: int
    environment: Mapping[str, str]
    own: Path
    cluster: str | None = None
    seconds: float = SEARCH_SECONDS


@dataclass(frozen=True, slots=True)
class _Ask:
    decider: str
    search: Search
    shared: Any  # the message, once in each machine's memory
    get: Callable[[str], Cells]
    begun: float


class RayShards:
    """Answers whole searches from the parts of its workers, or raises. Safe from any thread."""

    def __init__(self, plan: Plan, blocks: Path) -> None:
        self._plan = plan
        self._blocks = blocks
        self._ray = _loaded(plan.environment)
        self._known: dict[str, tuple[str, ...]] = {}
        self._placement = Placement(plan.workers)
        self._turn = threading.Lock()
        self._room = threading.BoundedSemaphore(plan.at_once)
        self._pool = ThreadPoolExecutor(plan.workers * plan.at_once, thread_name_prefix="shards")
        self._place = self._joined()
        self._node = self._ray.get_runtime_context().get_node_id()
        self._class = self._ray.remote(concurrency_groups={"alive": 1})(RayWorker)
        self._actors = [self._made(worker) for worker in range(plan.workers)]
        try:
            self._ray.get([self._life(actor) for actor in self._actors], timeout=START_SECONDS)
        except self._ray.exceptions.RayError as error:
            self.close()
            raise Unavailable(
                f"The cluster has no room for {plan.workers} workers: start more machines with "
                f"`--resources '{{\"{ROOM}\": ...}}'`."
            ) from error

    def search(
        self, decider: str, message: bytes, search: Search, get: Callable[[str], Cells]
    ) -> list[Answer]:
        """One answer a shelf, in the order asked; `Partial` if one is missing.

        `get` gives a block that a worker lacks; what it raises comes through.
        """
        if not self._room.acquire(blocking=False):
            raise Partial(SLOW)
        try:
            ask = _Ask(decider, search, self._ray.put(message), get, time.monotonic())
            asked = [
                (places, self._pool.submit(self._part, worker, places, ask))
                for worker, places in self._parts(decider, search).items()
            ]
            answers: dict[int, Answer] = {}
            for places, part in asked:
                answers.update(zip(places, part.result(), strict=True))
            return [answers[place] for place in range(len(search.shelves))]
        finally:
            self._room.release()

    def keep(self, decider: str, digests: Collection[str], *, spared_seconds: float) -> None:
        """Have every worker let go of this decider's other blocks."""
        prefix, kept = f"{decider}/", frozenset(digests)
        with self._turn:
            for name, held in list(self._known.items()):
                if name.startswith(prefix) and not any(digest in kept for digest in held):
                    del self._known[name]
            self._placement.keep(self._known)
        told = [actor.keep.remote(decider, kept, spared_seconds) for actor in self._actors]
        try:
            self._ray.get(told, timeout=self._plan.seconds)
        except self._ray.exceptions.RayError as error:
            raise Partial(GONE) from error

    def close(self) -> None:
        """Stop the workers, and the cluster if it is our own."""
        self._ray.shutdown()
        self._pool.shutdown(cancel_futures=True)
        if self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)

    def _parts(self, decider: str, search: Search) -> dict[int, list[int]]:
        names = [f"{decider}/{shelf.id}" for shelf in search.shelves]
        with self._turn:
            self._known.update(zip(names, (shelf.digests for shelf in search.shelves), strict=True))
            placed = self._placement.of(names)
        parts: dict[int, list[int]] = {}
        for place, worker in enumerate(placed):
            parts.setdefault(worker, []).append(place)
        return parts

    def _part(self, worker: int, places: list[int], ask: _Ask) -> list[Answer]:
        for share in (0.5, 1.0):
            actor = self._actors[worker]
            try:
                return self._answers(actor, places, ask, ask.begun + share * self._plan.seconds)
            except _Lost:
                self._replace(worker, actor)
        self._pool.submit(self._end_if_lost)
        raise Partial(GONE)

    def _answers(self, actor: Any, places: list[int], ask: _Ask, until: float) -> list[Answer]:
        part = self._asked(actor, places, ask, until)
        if part.missing:
            self._send(actor, part.missing, ask, until)
            part = self._asked(actor, places, ask, until)
        shelves = [ask.search.shelves[place] for place in places]
        if [len(shelf.digests) for shelf in shelves] != [_blocks_in(halves) for halves in part.halves]:
            raise _Lost
        return [Answer(face, mask) for face, mask in part.halves]

    def _asked(self, actor: Any, places: list[int], ask: _Ask, until: float) -> Part:
        part = self._got(actor, lambda: [actor.search.remote(ask.decider, ask.shared, places)], until)[0]
        if not isinstance(part, Part):
            raise _Lost
        return part

    def _send(self, actor: Any, missing: Sequence[str], ask: _Ask, until: float) -> None:
        named = {digest for shelf in ask.search.shelves for digest in shelf.digests}
        if not named.issuperset(missing):
            raise _Lost
        for start in range(0, len(missing), AT_A_TIME):
            some = [
                messages.encode_put(digest, ask.get(digest)) for digest in missing[start : start + AT_A_TIME]
            ]
            self._got(actor, lambda: [actor.put.remote(ask.decider, one) for one in some], until)  # noqa: B023

    def _got(self, actor: Any, call: Callable[[], list[Any]], until: float) -> list[Any]:
        wrong = self._ray.exceptions
        try:
            got: list[Any] = self._ray.get(call(), timeout=max(until - time.monotonic(), 0.0))
        except wrong.PendingCallsLimitExceeded as error:
            raise Partial(SLOW) from error
        except wrong.GetTimeoutError as error:
            if self._is_alive(actor):
                raise Partial(SLOW) from error  # what it has mapped meanwhile stays mapped
            raise _Lost from error
        except wrong.RayError as error:
            raise _Lost from error
        return got

    def _is_alive(self, actor: Any) -> bool:
        try:
            return bool(self._ray.get(self._life(actor), timeout=ALIVE_SECONDS))
        except self._ray.exceptions.RayError:
            return False

    def _life(self, actor: Any) -> Any:
        return actor.alive.options(concurrency_group="alive").remote()

    def _replace(self, worker: int, lost: Any) -> None:
        with self._turn:
            if self._actors[worker] is lost:  # else somebody did it already
                self._ray.kill(lost, no_restart=True)
                self._actors[worker] = self._made(worker)

    def _end_if_lost(self) -> None:
        """Without its own node this process searches no more: who started it is to start it anew."""
        if not any(node["NodeID"] == self._node and node["Alive"] for node in self._ray.nodes()):
            os.kill(os.getpid(), signal.SIGTERM)

    def _made(self, worker: int) -> Any:
        options = {
            "num_cpus": 0,
            "resources": {ROOM: 1},
            "max_restarts": 0,  # we make another, also for one that hangs
            "max_concurrency": self._plan.at_once,
            "max_pending_calls": self._plan.at_once * AT_A_TIME + 1,
            "scheduling_strategy": "SPREAD",
        }
        own = self._plan.own / f"worker-{worker}"
        mark = folder_mark(self._blocks)
        return self._class.options(**options).remote(str(own), str(self._blocks), mark, self._plan.threads)

    def _joined(self) -> Path | None:
        quiet = {"log_to_driver": False, "configure_logging": False}
        if self._plan.cluster is not None:
            try:
                self._ray.init(address=self._plan.cluster, **quiet)
            except (ConnectionError, RuntimeError, self._ray.exceptions.RayError) as error:
                raise Unavailable(f"The cluster at {self._plan.cluster} cannot be joined.") from error
            return None
        place = Path(mkdtemp(prefix="dw"))  # mode 0700; a short name, for sockets allow no long one
        self._ray.init(
            num_cpus=1,
            resources={ROOM: 2 * self._plan.workers},  # another is made before a lost one is gone
            object_store_memory=STORE_BYTES * (self._plan.at_once + 1),
            include_dashboard=False,
            _temp_dir=str(place),
            **quiet,
        )
        return place


def _loaded(environment: Mapping[str, str]) -> Any:
    # Ray reads it when it is loaded, and so do all processes that it starts.
    os.environ.update(environment)  # noqa: TID251
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise Invalid("Workers need Ray: install it with `pip install doorward[ray]`.") from error


def _blocks_in(halves: tuple[Any, Any]) -> int:
    """How many blocks an answer is about; -1 if it is none."""
    face, mask = halves
    whole = all(half.dtype == np.uint32 and half.ndim == 2 for half in (face, mask))
    return len(face) if whole and face.shape == mask.shape and face.shape[1] == RING_DEGREE else -1
