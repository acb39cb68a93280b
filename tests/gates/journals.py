"""What an agent wrote down alone, and the policy it decided by."""

from typing import Any

from doorward.core import wire
from doorward.core.wire import (
    START_OF_CHAIN,
    JournalEntry,
    OfflineDecision,
    OfflineOutcome,
    OfflinePolicy,
    Receipt,
    Signed,
    link_of,
)
from doorward.gates import service
from tests.gates.scene import CARD_GATE, SERVER_KEYS, Scene


class Journal:
    """An agent's chain, as the agent keeps it."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.previous, self.entries = scene, START_OF_CHAIN, list[Signed]()

    def add(self, fact: Any, gate_id: str = CARD_GATE.id) -> int:
        number = next(self.scene.numbers)
        sealed = wire.seal_fact(SERVER_KEYS.journal_public, "agent_1", number, fact)
        signed = self.scene.sign(
            JournalEntry(
                agent_id="agent_1",
                gate_id=gate_id,
                sequence=number,
                previous=self.previous,
                at=self.scene.clock.now,
                clock_doubtful=False,
                key_id=wire.key_id_of(SERVER_KEYS.journal_public),
                sealed=sealed,
            )
        )
        self.previous = link_of(signed.body)
        self.entries.append(signed)
        return number

    def opened(self, subject_id: str = "person_ada", *, instead_of: int | None = None) -> None:
        number = self.add(decision(opens=True, subject_id=subject_id, instead_of=instead_of))
        self.add(OfflineOutcome(about=number, moved=True))

    def replay(self, entries: list[Signed] | None = None) -> Receipt:
        with self.scene.unit() as unit:
            answer = service.replay(unit, self.scene.post, self.entries if entries is None else entries)
        return wire.open_message(SERVER_KEYS.signing.public_key(), Receipt, answer)


def decision(**facts: Any) -> OfflineDecision:
    held: dict[str, Any] = {
        "opens": True,
        "because": None,
        "subject_id": None,
        "seen": (),
        "face_seen": False,
        "policy_version": 1,
        "instead_of": None,
    }
    return OfflineDecision(**(held | facts))


def policy(scene: Scene, gate_id: str = CARD_GATE.id) -> OfflinePolicy:
    request = wire.Request(
        agent_id="agent_1",
        gate_id=gate_id,
        wants=wire.Wants.POLICY,
        nonce=bytes(range(16)),
        sent_at=scene.clock.now,
    )
    with scene.unit() as unit:
        answer = service.answer_request(unit, scene.post, scene.sign(request))
    return wire.open_message(SERVER_KEYS.signing.public_key(), OfflinePolicy, answer)
