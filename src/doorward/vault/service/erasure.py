"""Forgetting for good: the data key goes, the photos go, and a signed receipt stays."""

import json
from datetime import datetime

from doorward.audit import service as audit
from doorward.core.encoding import canonical_json
from doorward.core.errors import NotFound
from doorward.platform.db import Unit
from doorward.vault import store
from doorward.vault.model import KeyName, Purpose, Receipt, Use
from doorward.vault.rules import RECEIPT_PREFIX
from doorward.vault.service.photos import forget_photos
from doorward.vault.service.unlocked import Vault


def erase_subject(unit: Unit, vault: Vault, subject_id: str) -> Receipt:
    """Destroy a subject's data key and photos; a repeat returns the same receipt.

    The receipt holds its entry in the log, the path to a signed head and that head, so that anyone with the
    two public keys can check it offline. Copies made before open this subject until the ratchet has turned,
    which the schedule sees to within minutes: `closed_at` tells.
    """
    kept = store.find_receipt(unit.rows, unit.site_id, subject_id)
    if kept is not None:
        return receipt_from(kept)
    key = store.find_key(unit.rows, unit.site_id, subject_id)
    if key is None:
        raise NotFound("There is no such person or vehicle here.")
    photos = forget_photos(unit, vault, subject_id)
    store.forget_key(unit.rows, subject_id)
    position = audit.record(unit, "subject.erased", subject_id=subject_id, key=key.key_id, photos=photos)
    head = audit.sign_head(unit, vault.audit_signer())
    proof = audit.prove_inclusion(unit, position, head.head.size)
    body = {
        "subject_id": subject_id,
        "site_id": unit.site_id,
        "erased_at": unit.now.isoformat(),
        "data_key_id": key.key_id,
        "photos": photos,
        "leaf": audit.leaf_json(audit.find_leaf(unit, position), unit.site_id)["leaf"],
        "proof": {
            "position": position,
            "size": proof.size,
            "path": [step.hex() for step in proof.path],
        },
        "head": audit.head_json(head),
    }
    signer = vault.signer(Purpose.VAULT)
    receipt = Receipt(body, signer.key_id, signer.sign(RECEIPT_PREFIX + canonical_json(body)))
    under = vault.newest(KeyName(Use.WRAP, key.purpose))
    store.add_receipt(unit.rows, key, receipt_text(receipt), erased_at=unit.now, generation=under)
    return receipt


def find_receipt(unit: Unit, subject_id: str) -> Receipt:
    """The receipt of an erasure; `NotFound` if this subject was not erased here."""
    kept = store.find_receipt(unit.rows, unit.site_id, subject_id)
    if kept is None:
        raise NotFound("There is no receipt: this subject was not erased here.")
    return receipt_from(kept)


def closed_at(unit: Unit, subject_id: str) -> datetime | None:
    """Since when no older copy of the database opens an erased subject with today's ring; None: not yet."""
    return store.find_closed_at(unit.rows, unit.site_id, subject_id)


def receipt_text(receipt: Receipt) -> str:
    """A receipt as the JSON file that `doorward_verify` reads."""
    return canonical_json(
        {"body": receipt.body, "key_id": receipt.key_id, "signature": receipt.signature.hex()}
    ).decode()


def receipt_from(text: str) -> Receipt:
    """The receipt behind `receipt_text`."""
    content = json.loads(text)
    return Receipt(content["body"], content["key_id"], bytes.fromhex(content["signature"]))
