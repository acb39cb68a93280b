"""An agent's offline journal, as the agent keeps and seals it."""

from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from doorward.core import wire
from doorward.core.wire import (
    START_OF_CHAIN,
    JournalEntry,
    OfflineDecision,
    OfflineOutcome,
    Receipt,
    Signed,
    link_of,
)
from tests.faults.site import AGENT, GATE, Site


class Journal:
    """A chain of sealed facts."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.previous, self.entries = START_OF_CHAIN, list[Signed]()
        with site.opened() as house:
            self._sealed_to = house.post.keys.journal_public

    def opened(self) -> None:
        """Somebody was let in and went through."""
        decided = OfflineDecision(
            opens=True,
            because=None,
            subject_id=self._site.facts.person_id,
            seen=(),
            face_seen=False,
            policy_version=1,
            instead_of=None,
        )
        self._add(OfflineOutcome(about=self._add(decided), moved=True))

    def to_json(self) -> dict[str, Any]:
        """As it goes over the line."""
        return {"entries": [entry.to_json() for entry in self.entries]}

    def is_held(self, answer: httpx.Response) -> bool:
        """Whether the server's signed receipt covers the last entry."""
        key = Ed25519PublicKey.from_public_bytes(self._site.facts.server_key)
        receipt = wire.open_message(key, Receipt, Signed.from_json(answer.json()))
        return receipt.head == self.previous

    def _add(self, fact: wire.JournalFact) -> int:
        number = next(self._site.numbers)
        entry = JournalEntry(
            agent_id=AGENT,
            gate_id=GATE,
            sequence=number,
            previous=self.previous,
            at=datetime.now(UTC),
            clock_doubtful=False,
            key_id=wire.key_id_of(self._sealed_to),
            sealed=wire.seal_fact(self._sealed_to, AGENT, number, fact),
        )
        self.entries.append(self._site.sign(entry))
        self.previous = link_of(self.entries[-1].body)
        return number
