"""Deciding many sightings in one commit, when many wait."""

import logging
from collections import deque
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from time import monotonic

from doorward.core.errors import DoorwardError, Unavailable
from doorward.core.permissions import Actor
from doorward.core.wire import Signed
from doorward.gates.service.admission import decide_heard, hear_sighting
from doorward.gates.service.post import Post
from doorward.platform.db import Database, Unit

MOST_TOGETHER = 64
log = logging.getLogger("doorward.gates")


@dataclass(slots=True, eq=False)
class _Asked:
    actor: Actor
    site_id: str
    signed: Signed
    answer: Signed | DoorwardError | None = None
    alone: bool = False
    since: float = field(default_factory=monotonic)
    turn: Event = field(default_factory=Event)

    def told(self) -> Signed:
        """The answer, or the error that is one."""
        if isinstance(self.answer, DoorwardError):
            raise self.answer
        assert self.answer is not None
        return self.answer


class Desk:
    """Whoever comes first decides for all who wait, in one transaction; nobody is answered before its commit.

    One sighting alone is decided and committed at once: nothing ever waits for company. While somebody else
    keeps the database, `Unavailable` comes in time for the agent to decide alone.
    """

    def __init__(self, database: Database, post: Post) -> None:
        self.post = post
        self._database = database
        self._waiting: deque[_Asked] = deque()
        self._busy = False
        self._queue = Lock()

    def admit(self, actor: Actor, site_id: str, signed: Signed) -> Signed:
        """As `admit`, in a transaction shared with others who ask at the same time."""
        asked = _Asked(actor, site_id, signed)
        with self._queue:
            self._waiting.append(asked)
            first, self._busy = not self._busy, True
        if not first:
            asked.turn.wait()  # until somebody decided it, or it is first itself
        if asked.answer is None and not asked.alone:
            self._lead()
        if asked.answer is None:
            self._decide([asked])
        return asked.told()

    def decide_together(self, actor: Actor, site_id: str, signed: list[Signed]) -> list[Signed]:
        """Answers to sightings that came in one message, from one commit; raises for a refused one."""
        batch = [_Asked(actor, site_id, one) for one in signed]
        self._decide(batch)
        return [asked.told() for asked in batch]

    def _lead(self) -> None:
        with self._queue:
            count = min(len(self._waiting), MOST_TOGETHER)
            batch = [self._waiting.popleft() for _ in range(count)]
        try:
            self._decide(batch)
        except Unavailable as error:  # a full disk or a locked file: it would keep each of them waiting alone
            for asked in batch:
                asked.answer = Unavailable(str(error))
        except Exception as error:  # one sighting's fault must not refuse the others: each then asks alone
            log.warning("batch undone", extra={"sightings": count, "code": type(error).__name__})
        finally:
            for asked in batch:
                asked.alone = asked.answer is None
                asked.turn.set()
            self._hand_over()

    def _hand_over(self) -> None:
        with self._queue:
            if self._waiting:
                self._waiting[0].turn.set()
            else:
                self._busy = False

    def _decide(self, batch: list[_Asked]) -> None:
        waited = monotonic() - min(asked.since for asked in batch)
        patience = self.post.patience_seconds - waited
        with self._database.unit(batch[0].actor, batch[0].site_id, patience=patience) as unit:
            answers = [self._one(unit, asked) for asked in batch]
        for asked, answer in zip(batch, answers, strict=True):
            asked.answer = answer

    def _one(self, unit: Unit, asked: _Asked) -> Signed | DoorwardError:
        own = replace(unit, actor=asked.actor, site_id=asked.site_id)
        try:
            heard = hear_sighting(own, self.post, asked.signed)
        except DoorwardError as error:  # nothing was written yet: only this one is refused
            return error
        return decide_heard(own, self.post, heard)
