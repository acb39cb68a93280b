"""Answers to writes, kept for a day for whoever asks again: one about a subject goes with its key."""

from doorward.platform.db import Unit
from doorward.vault.model import Place
from doorward.vault.service.subjects import open_keys, unseal_for
from doorward.vault.service.unlocked import Vault

END_OF_ID = b"\n"


class AnswerSeals:
    """Satisfies `platform.web.AnswerSealer`. Whose key is needed lies under the key for all answers."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal_answer(self, unit: Unit, row_id: str, answer: bytes, subject_id: str | None) -> bytes:
        """Sealed under the subject's own key as well, if it has one: whoever was just erased has none."""
        keys = open_keys(unit, self._vault, [subject_id] if subject_id else [])
        owner = b""
        for owner_id, key in keys.items():
            owner, answer = owner_id.encode(), key.seal(_place(row_id), answer)
        return self._vault.seal_answer(row_id, owner + END_OF_ID + answer)

    def unseal_answer(self, unit: Unit, row_id: str, sealed: bytes) -> bytes:
        """What was sealed; `NotFound` if its subject was erased since."""
        owner, _, answer = self._vault.unseal_answer(row_id, sealed).partition(END_OF_ID)
        return unseal_for(unit, self._vault, owner.decode(), _place(row_id), answer) if owner else answer


def _place(row_id: str) -> Place:
    return Place("kept_answers", "answer of a subject", row_id)
