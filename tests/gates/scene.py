"""A small site with agents that sign, and somebody who knows its people by heart."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core import wire
from doorward.core.encoding import to_text
from doorward.core.keys import ServerKeys
from doorward.core.wire import Credential, FaceEvidence, Permit, PlateEvidence, SealedFace, Sighting, Signed
from doorward.gates import service
from doorward.gates.model import (
    Agent,
    AlarmKind,
    Direction,
    Factor,
    Gate,
    Grant,
    Order,
    PinAnswer,
    Reason,
    SiteRules,
    Subject,
    Verb,
    Zone,
)
from doorward.gates.service import Post
from doorward.platform.db import Database, Unit
from doorward.platform.paging import PageRequest
from doorward_edge.passage import FaceSeen
from tests.conftest import GUARD, SITE, SteppingClock

AGENT_KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
SERVER_KEYS = ServerKeys.from_signing_key("server_1", Ed25519PrivateKey.from_private_bytes(b"s" * 32))
CARDS = {"card-ada": "person_ada", "card-bob": "person_bob"}
PLATES = {"ABC123": "vehicle_red"}


@dataclass(slots=True)
class Memory:
    """An `Identifier` that answers from dictionaries."""

    subjects: dict[str, Subject] = field(
        default_factory=lambda: {
            name: Subject(id=name, kind=name.partition("_")[0])
            for name in ("person_ada", "person_bob", "vehicle_red")
        }
    )
    face_of: str | None = None
    more_cards: int = 0
    noted: Callable[[], None] = lambda: None

    def person_by_card(self, unit: Unit, number: str) -> str | None:
        return CARDS.get(number)

    def person_by_qr(self, unit: Unit, token: str) -> str | None:
        return CARDS.get(token.replace("qr", "card"))

    def is_face_of(self, unit: Unit, person_id: str, face: SealedFace, *, one_in: int) -> bool:
        return self.face_of == person_id

    def person_by_face(self, unit: Unit, face: SealedFace, *, one_in: int) -> str | None:
        return self.face_of

    def face_key(self) -> bytes:
        return bytes(31) + b"\x09"

    def doubt(self, unit: Unit) -> AlarmKind | None:
        return None

    def check_pin(self, unit: Unit, person_id: str, pin: str) -> PinAnswer:
        answers = {"1111": PinAnswer.RIGHT, "9999": PinAnswer.DURESS, "0000": PinAnswer.LOCKED}
        return answers.get(pin, PinAnswer.WRONG)

    def vehicle_by_plate(self, unit: Unit, plate: PlateEvidence) -> str | None:
        return PLATES.get(plate.candidates[0][0])

    def subject_of(self, unit: Unit, subject_id: str) -> Subject | None:
        return self.subjects.get(subject_id)

    def credentials(self, unit: Unit) -> Iterable[tuple[Credential, str, str]]:
        self.noted()
        for number in range(self.more_cards):
            yield Credential.CARD, str(number), "person_ada"
        yield from ((Credential.CARD, number, holder) for number, holder in CARDS.items())
        yield from ((Credential.PLATE, text, holder) for text, holder in PLATES.items())


CARD_GATE = Gate(id="gate_card", name="Card", factors=((Factor.CARD,),), to_zone_id="zone_hall")
OUT_GATE = Gate(
    id="gate_out",
    name="Out",
    factors=((Factor.CARD,),),
    direction=Direction.OUT,
    from_zone_id="zone_hall",
)
HALL = Zone(id="zone_hall", name="Hall")


class Scene:
    """One site, one agent beside all its gates, and a clock that moves when told to."""

    def __init__(self, database: Database, clock: SteppingClock) -> None:
        self.database, self.clock = database, clock
        self.memory = Memory()
        self.post = Post(identifier=self.memory, keys=SERVER_KEYS)
        self.numbers = itertools.count(1)
        with self.unit() as unit:
            service.set_site_rules(unit, SiteRules())
        self.set(HALL, CARD_GATE, OUT_GATE)
        self.register(CARD_GATE.id, OUT_GATE.id)
        for holder in ("person_ada", "person_bob", "vehicle_red"):
            self.grant(Grant(id="", holder_id=holder))

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        with self.database.unit(GUARD, SITE) as unit:
            yield unit

    def set(self, *pieces: Any) -> None:
        with self.unit() as unit:
            for piece in pieces:
                service.set_piece(unit, self.post, piece)

    def register(self, *gate_ids: str, revoked: bool = False) -> None:
        key = to_text(AGENT_KEY.public_key().public_bytes_raw())
        self.set(Agent(id="agent_1", name="Post", public_key=key, gate_ids=gate_ids, revoked=revoked))

    def add_gate(self, gate: Gate) -> None:
        self.set(gate)
        self.register(CARD_GATE.id, OUT_GATE.id, gate.id)

    def grant(self, grant: Grant) -> Grant:
        with self.unit() as unit:
            return service.grant(unit, self.post, grant)

    def grants(self, holder_id: str) -> tuple[Grant, ...]:
        with self.unit() as unit:
            return service.grants_of(unit, holder_id)

    def sighting(self, gate_id: str = CARD_GATE.id, **facts: Any) -> Signed:
        held: dict[str, Any] = {"seen_at": self.clock.now, "sequence": next(self.numbers)} | facts
        if isinstance(held.get("face"), FaceSeen):
            place = {"agent_id": "agent_1", "gate_id": gate_id, "sequence": held["sequence"]}
            held["face"] = held["face"].sealed(self.post.identifier.face_key(), **place)
        return self.sign(Sighting(agent_id="agent_1", gate_id=gate_id, **held))

    def sign(self, message: Any) -> Signed:
        return wire.seal_message(AGENT_KEY, "agent_1", message)

    def admit(self, signed: Signed) -> Permit:
        with self.unit() as unit:
            answer = service.admit(unit, self.post, signed)
        return wire.open_message(SERVER_KEYS.signing.public_key(), Permit, answer)

    def card(self, name: str = "ada", gate_id: str = CARD_GATE.id, **facts: Any) -> Permit:
        return self.admit(self.sighting(gate_id, card=f"card-{name}", **facts))

    def report(self, permit: Permit, *, moved: bool = True, certain: bool = True) -> None:
        outcome = wire.Outcome(
            permit_id=permit.permit_id,
            gate_id=permit.gate_id,
            moved=moved,
            at=self.clock.now,
            certain=certain,
        )
        with self.unit() as unit:
            service.report(unit, self.post, self.sign(outcome))

    def tell(self, state: wire.Door, gate_id: str = CARD_GATE.id) -> str:
        """A door's contact speaks; how the door stands afterwards."""
        message = wire.DoorState(
            agent_id="agent_1", gate_id=gate_id, sequence=next(self.numbers), state=state, at=self.clock.now
        )
        with self.unit() as unit:
            return service.report_door(unit, self.post, self.sign(message)).status.value

    def request(self, wants: wire.Wants = wire.Wants.TIME, gate_id: str = CARD_GATE.id) -> Signed:
        return self.sign(
            wire.Request(
                agent_id="agent_1",
                gate_id=gate_id,
                wants=wants,
                nonce=bytes(range(16)),
                sent_at=self.clock.now,
            )
        )

    def ask_the_time(self) -> wire.TimeReply:
        with self.unit() as unit:
            answer = service.answer_request(unit, self.post, self.request())
        return wire.open_message(SERVER_KEYS.signing.public_key(), wire.TimeReply, answer)

    def statuses(self, *door_ids: str) -> list[str]:
        with self.unit() as unit:
            known = {door.door_id: door.status.value for door in service.list_doors(unit)}
        return [known[one] for one in door_ids]

    def sweep(self) -> None:
        with self.unit() as unit:
            service.sweep_doors(unit, self.post)
            service.sweep_permits(unit, self.post)

    def forgive(self, subject_id: str | None) -> int:
        with self.unit() as unit:
            return service.forgive(unit, self.post, subject_id, reason=Reason.MISREAD)

    def order(self, verb: Verb, **where: Any) -> Order:
        with self.unit() as unit:
            cause = service.Cause(reason=Reason.DRILL)
            return service.give_order(unit, self.post, verb, cause, **where)

    def inside(self, zone_id: str = "zone_hall") -> list[str]:
        with self.unit() as unit:
            return [one.subject_id for one in service.find_present(unit, zone_id)]

    def alarms(self) -> list[str]:
        with self.unit() as unit:
            page = service.list_alarms(unit, _all(), waiting=True)
        return sorted(alarm.kind.value for alarm in page)

    def states(self) -> list[tuple[str, str]]:
        with self.unit() as unit:
            found = service.list_passages(unit, service.Wanted(), _all())
        return [(one.passage.state.value, one.passage.because) for one in reversed(found)]

    def limit(self, subject_id: str, **changes: Any) -> None:
        self.memory.subjects[subject_id] = replace(self.memory.subjects[subject_id], **changes)


def face(frames: int = 5, *, live: bool | None = True) -> FaceEvidence:
    return FaceEvidence(key_id=bytes(8), sealed=bytes(560), frames=frames, quality=12.0, liveness_passed=live)


def plate(text: str = "ABC123", *, sure: float = 0.9) -> PlateEvidence:
    return PlateEvidence(candidates=((text, sure),), minimum_character_confidence=sure, frames=5)


def _all() -> PageRequest:
    return PageRequest(None, 100)
