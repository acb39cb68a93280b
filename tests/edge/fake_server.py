"""A small real server of the agents' protocol."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorward.core.errors import Unavailable
from doorward.core.wire import (
    START_OF_CHAIN,
    ChainRestart,
    Credential,
    Direction,
    DoorState,
    JournalEntry,
    JournalFact,
    Kind,
    Mode,
    OfflinePolicy,
    Outcome,
    Permit,
    PolicyEntry,
    Receipt,
    RefusedEntry,
    Request,
    Sighting,
    Signed,
    Standing,
    TimeReply,
    Wants,
    Window,
    credential_hash,
    hand_over,
    link_of,
    open_fact,
    open_message,
    seal_message,
)

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
SERVER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
JOURNAL_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
FACE_KEY = X25519PrivateKey.from_private_bytes(bytes(range(33, 65)))
AGENT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
STRANGER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(96, 128)))
CARD = "04-GOOD-CARD"


@dataclass
class FakeServer:
    """Signs, numbers and remembers as the protocol asks; `away` cuts the line."""

    now: Callable[[], datetime]
    cards: dict[str, str] = field(default_factory=lambda: {CARD: "person_a"})
    plates: dict[str, str] = field(default_factory=lambda: {"AB123C": "vehicle_a"})
    away: bool = False
    mode: Mode = Mode.NORMAL
    direction: Direction = Direction.IN
    version: int = 1
    hours: float = 8
    change: Callable[[Permit], Permit] = lambda permit: permit
    key: Ed25519PrivateKey = SERVER_KEY
    before_answer: Callable[[], None] = lambda: None
    lose_answers: int = 0
    answers: dict[int, Signed] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    doors: list[DoorState] = field(default_factory=list)
    journal: list[tuple[JournalEntry, JournalFact]] = field(default_factory=list)
    commanded: list[Permit] = field(default_factory=list)
    restarts: list[ChainRestart] = field(default_factory=list)
    refuses: Callable[[JournalEntry], str | None] = lambda entry: None
    refuse_reports: type[Exception] | None = None
    lease_seconds: int = 90
    older: list[Ed25519PrivateKey] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def _listen(self) -> None:
        if self.away:
            raise Unavailable("The line is cut.")

    def ask(self, message: Signed) -> Signed:
        with self.lock:
            self._listen()
            sighting = open_message(AGENT_KEY.public_key(), Sighting, message)
            if sighting.sequence not in self.answers:
                self.sightings.append(sighting)
                self.answers[sighting.sequence] = self._decide(sighting)
            self.before_answer()
            if self.lose_answers > 0:
                self.lose_answers -= 1
                raise Unavailable("The answer was lost.")
            return self.answers[sighting.sequence]

    def _decide(self, sighting: Sighting) -> Signed:
        plate = sighting.plate.candidates[0][0] if sighting.plate else ""
        known = self.cards.get(sighting.card or "") or self.plates.get(plate)
        permit = Permit(
            permit_id=f"permit_{sighting.sequence}",
            gate_id=sighting.gate_id,
            agent_id=sighting.agent_id,
            sequence=sighting.sequence,
            opens=known is not None,
            because=None if known else "unknown",
            open_seconds=5,
            expires_at=self.now() + timedelta(seconds=5),
        )
        return seal_message(self.key, "server", self.change(permit))

    def report(self, kind: Kind, message: Signed) -> None:
        with self.lock:
            self._listen()
            if self.refuse_reports is not None:
                raise self.refuse_reports("refused")
            if kind is Kind.DOOR_STATE:
                self.doors.append(open_message(AGENT_KEY.public_key(), DoorState, message))
                return
            outcome = open_message(AGENT_KEY.public_key(), Outcome, message)
            if outcome.permit_id in {known.permit_id for known in self.outcomes}:
                return
            self.outcomes.append(outcome)

    def replay(self, entries: Sequence[Signed], restart: Signed | None = None) -> Signed:
        with self.lock:
            self._listen()
            if restart is not None:
                self.restarts.append(open_message(AGENT_KEY.public_key(), ChainRestart, restart))
                assert self.restarts[-1].held == self.head
                self.head = self.restarts[-1].previous
            refused = []
            for signed in entries:
                entry = open_message(AGENT_KEY.public_key(), JournalEntry, signed)
                if entry.sequence <= self.up_to:
                    continue
                if entry.previous != self.head:
                    break
                self.up_to, self.head = entry.sequence, link_of(signed.body)
                because = self.refuses(entry)
                if because is None:
                    self.journal.append((entry, open_fact(JOURNAL_KEY, entry)))
                else:
                    refused.append(RefusedEntry(sequence=entry.sequence, because=because))
            receipt = Receipt(agent_id="agent_a", up_to=self.up_to, head=self.head, refused=tuple(refused))
            return seal_message(self.key, "server", receipt)

    up_to: int = 0
    head: bytes = START_OF_CHAIN

    def standing(self, message: Signed) -> Signed:
        with self.lock:
            self._listen()
            request = open_message(AGENT_KEY.public_key(), Request, message)
            assert request.wants is Wants.COMMANDS
            standing = Standing(
                agent_id="agent_a",
                gate_id="gate_a",
                nonce=request.nonce,
                mode=self.mode,
                lease_seconds=self.lease_seconds,
                permits=tuple(self.commanded),
            )
            return seal_message(self.key, "server", standing)

    def handovers(self, message: Signed) -> list[Signed]:
        with self.lock:
            self._listen()
            open_message(AGENT_KEY.public_key(), Request, message)
            return [seal_message(one, "server", hand_over(one, self.key)) for one in self.older]

    def highest(self) -> int:
        """The greatest number that it has seen of the agent."""
        numbers = [one.sequence for one in self.sightings] + [one.sequence for one in self.doors]
        return max([*numbers, self.up_to])

    def command(self, *, number: int = 2**50, **change: Any) -> None:
        """Staff give a permit by hand."""
        permit = Permit(
            permit_id=f"permit_{number}",
            gate_id="gate_a",
            agent_id="agent_a",
            sequence=number,
            opens=True,
            because="commanded",
            open_seconds=3,
            expires_at=self.now() + timedelta(seconds=5),
        )
        self.commanded.append(replace(permit, **change))

    def fetch(self, message: Signed) -> Signed:
        with self.lock:
            self._listen()
            request = open_message(AGENT_KEY.public_key(), Request, message)
            if request.wants is Wants.TIME:
                now = self.now()
                reply = TimeReply(
                    nonce=request.nonce, received_at=now, sent_at=now, next_sequence=self.highest() + 1
                )
                return seal_message(self.key, "server", reply)
            return seal_message(self.key, "server", self.policy(request.nonce))

    def policy(self, nonce: bytes = bytes(16)) -> OfflinePolicy:
        hash_key = bytes(range(32))
        listed = [(Credential.CARD, card, who) for card, who in self.cards.items()]
        listed += [(Credential.PLATE, plate, who) for plate, who in self.plates.items()]
        now = self.now()
        return OfflinePolicy(
            agent_id="agent_a",
            gate_id="gate_a",
            version=self.version,
            nonce=nonce,
            not_before=now - timedelta(minutes=1),
            expires_at=now + timedelta(hours=24),
            direction=self.direction,
            mode=self.mode,
            open_seconds=4,
            hash_key=hash_key,
            face_key=FACE_KEY.public_key().public_bytes_raw(),
            journal_key=JOURNAL_KEY.public_key().public_bytes_raw(),
            schedules=((Window(opens=now - timedelta(hours=1), closes=now + timedelta(hours=self.hours)),),),
            entries=tuple(
                PolicyEntry(
                    kind=kind, hash=credential_hash(hash_key, kind, value), subject_id=who, schedule=0
                )
                for kind, value, who in listed
            ),
        )
