"""What a decider does for a gates' server: each deed in one unit, an id or nobody for an answer."""

import logging
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import numpy as np

from doorward.app.decider.keys import face_keys_of
from doorward.app.house import House
from doorward.audit.service import record
from doorward.core.errors import DoorwardError, Invalid, Unavailable
from doorward.core.permissions import Actor
from doorward.core.wire import SealedFace, key_id_of, open_face
from doorward.core.wire.deciding import (
    LARGEST,
    MOST_IDS,
    Counted,
    EnrolFaces,
    Found,
    Listed,
    OneSite,
    SomeSubjects,
    WhoseFace,
    enrolled_as,
    read,
    written,
)
from doorward.gallery.model import Doubt, Template
from doorward.gallery.service.keeping import erase, keep, list_faces
from doorward.platform.db import Unit
from doorward.vault.model import Purpose
from doorward_matcher.counter import Reply, fault
from doorward_matcher.front import Deed, Lane, Route

log = logging.getLogger("doorward.decider")

# Whoever was enrolled so lately may belong to a unit of the server that is not done yet.
SPARED = timedelta(minutes=10)
REQUESTER_OF_SITE = "server"


class _OfSite(Protocol):
    @property
    def site_id(self) -> str: ...


M = TypeVar("M", bound=_OfSite)


class DecidingDesk:
    """Answers messages that were proven to be a server's. Safe from any thread."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._matcher = house.recogniser.matcher
        self._deciding = house.settings.deciding

    def routes(self) -> dict[str, Route]:
        """What a server may ask; questions of gates wait for no enrolment's place."""
        asked = self._deciding
        gates = Lane("asking", at_once=asked.searches_at_once, waiting=asked.waiting)
        deeds = Lane("deeds", at_once=2, waiting=asked.waiting)
        found = {
            "identify": (self._deed(WhoseFace, self._identify), gates),
            "verify": (self._deed(WhoseFace, self._verify), gates),
            "count": (self._deed(OneSite, self._count), gates),
            "enrol": (self._deed(EnrolFaces, self._enrol), deeds),
            "forget": (self._deed(SomeSubjects, self._forget), deeds),
            "missing": (self._deed(SomeSubjects, self._missing), deeds),
            "list": (self._deed(OneSite, self._list), deeds),
        }
        return {f"/v1/{name}": Route(deed, LARGEST, lane) for name, (deed, lane) in found.items()}

    def _deed(self, shape: type[M], do: Callable[[Unit, M], Any]) -> Deed:
        def deed(_server: bytes, body: bytes) -> Reply:
            message = read(shape, body)
            actor = Actor(getattr(message, "requester", REQUESTER_OF_SITE))
            try:
                with self._house.database.unit(actor, message.site_id) as unit:
                    answer = do(unit, message)
            except (Invalid, Unavailable):  # the front has words for them
                raise
            except DoorwardError as error:
                log.warning("request refused", extra={"code": error.code})
                code = str(error.facts.get("said", error.code))
                return fault(HTTPStatus.UNPROCESSABLE_ENTITY, code)
            return Reply(HTTPStatus.OK, [written(answer)])

        return deed

    def _identify(self, unit: Unit, asked: WhoseFace) -> Found:
        if not self._may_ask(unit, asked.face):
            return Found(None, Doubt.ASKED_TOO_OFTEN)
        found = self._matcher.identify(unit, asked.face, one_in=self._promise(asked), besides=asked.besides)
        return self._answered(unit, asked, found)

    def _verify(self, unit: Unit, asked: WhoseFace) -> Found:
        if asked.claimed is None:
            raise Invalid("Nobody is claimed.")
        if not self._may_ask(unit, asked.face):
            return Found(None, Doubt.ASKED_TOO_OFTEN)
        fits = self._matcher.verify(unit, asked.claimed, asked.face, one_in=self._promise(asked))
        return self._answered(unit, asked, asked.claimed if fits else None)

    def _count(self, unit: Unit, _: OneSite) -> Counted:
        return Counted(self._matcher.count(unit))

    def _enrol(self, unit: Unit, asked: EnrolFaces) -> Counted:
        templates = {
            one.subject_id: self._opened(
                SealedFace(one.key_id, one.sealed, enrolled_as(unit.site_id, one.subject_id))
            )
            for one in asked.faces
        }
        keep(unit, self._house.keyholder, templates)
        return Counted(len(templates))

    def _forget(self, unit: Unit, asked: SomeSubjects) -> Counted:
        return Counted(len(erase(unit, self._house.keyholder, asked.subject_ids)))

    def _missing(self, unit: Unit, asked: SomeSubjects) -> Listed:
        return Listed(tuple(self._matcher.missing(unit, asked.subject_ids)), False)

    def _list(self, unit: Unit, asked: OneSite) -> Listed:
        known = list_faces(unit, after=asked.after or "", before=unit.now - SPARED, most=MOST_IDS)
        return Listed(tuple(known), len(known) == MOST_IDS)

    def _answered(self, unit: Unit, asked: WhoseFace, found: str | None) -> Found:
        """Answer who a face is, if anybody; that it was asked is kept, how like it was is not."""
        doubt = self._matcher.doubt(unit) if found is None else None
        claimed = asked.claimed is not None
        record(unit, "decider.answered", subject_id=found, claimed=claimed, one_in=asked.one_in)
        return Found(found, doubt)

    def _promise(self, asked: WhoseFace) -> int:
        return max(asked.one_in, self._deciding.least_one_in)

    def _opened(self, face: SealedFace) -> Template:
        keys = face_keys_of(self._house.vault, Purpose.DECIDER)
        _require_known(face, [key.public_key().public_bytes_raw() for key in keys.private])
        return np.frombuffer(open_face(face, keys.private), "<f4").astype(np.float32)

    def _may_ask(self, unit: Unit, face: SealedFace) -> bool:
        """Whether there is room for one more name: each has refusals of its own, and names cost nothing."""
        keys = face_keys_of(self._house.vault, Purpose.DECIDER)
        _require_known(face, [key.public_key().public_bytes_raw() for key in keys.private])
        refusals = self._house.keyholder.refusals
        if unit.actor.id in refusals or len(refusals) < self._deciding.requesters:
            return True
        for name, bucket in list(refusals.items()):
            if not bucket.leaked(unit.now):
                refusals.pop(name, None)
        if len(refusals) < self._deciding.requesters:
            return True
        record(unit, "gallery.asked-too-often", requester=unit.actor.id)
        return False


class _OtherKey(DoorwardError):
    """The face was sealed to a key that is none of ours."""


def _require_known(face: SealedFace, keys: list[bytes]) -> None:
    if face.key_id not in map(key_id_of, keys):
        raise _OtherKey("A face was sealed to another key.", said="other-key")
