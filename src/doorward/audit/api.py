"""The log over HTTP: read it, prove it, sign it, let old segments go."""

from datetime import UTC, datetime
from typing import Any

from fastapi import Depends
from pydantic import BaseModel, Field

from doorward.audit import service
from doorward.audit.model import Entry, InclusionProof, Ledger, SignedHead
from doorward.audit.ports import Keys, SecondPerson
from doorward.core.errors import NotFound
from doorward.core.permissions import Permission, SignedIn
from doorward.platform.asked import Count, Instant
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/audit", tag="audit")


class EntryOut(BaseModel):
    """One entry; `facts` is canonical JSON, as it was hashed."""

    position: int
    event: str
    actor: str
    subject_id: str | None
    at: datetime
    facts: str


class EntriesOut(BaseModel):
    """A page of entries, newest first."""

    items: list[EntryOut]
    next_cursor: str | None


class HeadOut(BaseModel):
    """A signed head; hashes and signature in hexadecimal."""

    size: int
    root: str
    at_us: int
    key_id: str
    signature: str


class ProofOut(BaseModel):
    """An inclusion path, leaf to root, in hexadecimal."""

    position: int
    size: int
    path: list[str]


class ProvenEntryOut(BaseModel):
    """What a leaf commits to (`leaf`, or `digest` once expired), its path, and the head it leads to."""

    entry: dict[str, Any]
    proof: ProofOut
    head: HeadOut


class ConsistencyOut(BaseModel):
    """A consistency path, in hexadecimal."""

    first: int
    second: int
    path: list[str]


class LedgerEntryOut(BaseModel):
    """One entry about the subject; `proof` is absent until a signed head covers it."""

    entry: EntryOut
    proof: ProofOut | None


class LedgerOut(BaseModel):
    """Everything recorded about one subject at this site."""

    items: list[LedgerEntryOut]
    head: HeadOut | None


class KeysOut(BaseModel):
    """Every verification key that the log ever had, by key id, in hexadecimal."""

    keys: dict[str, str]


class ExpireIn(BaseModel):
    """Entries older than this instant go; the approval is one of `audit.expire` with the fact `before`."""

    before: Instant
    approval_id: str | None = Field(None, max_length=64)


class ExpiredOut(BaseModel):
    """How many entries lost their bodies."""

    entries: int


@routes.get("/entries", needs=Permission.AUDIT_READ)
def list_entries(
    event: str | None = None,
    wanted: PageRequest = Depends(page_request),
    call: Call = Depends(current_call),
) -> EntriesOut:
    """The site's entries, newest first; the reading is recorded."""
    with call.unit() as unit:
        page = service.list_entries(unit, wanted, event=event)
    return EntriesOut(items=[_entry(entry) for entry in page.items], next_cursor=page.next_cursor)


@routes.get("/entries/{position}", needs=Permission.AUDIT_READ)
def prove_entry(position: Count, call: Call = Depends(current_call)) -> ProvenEntryOut:
    """One entry with its proof under the newest signed head."""
    with call.unit() as unit:
        leaf = service.find_leaf(unit, position)
        head = service.latest_head(unit)
        proof = service.prove_inclusion(unit, position, head.head.size)
        service.record(unit, "audit.entry_read", position=position)
        shown = service.leaf_json(leaf, unit.site_id)
    return ProvenEntryOut(entry=shown, proof=_proof(proof), head=_head(head))


@routes.get("/head", needs=Permission.AUDIT_READ)
def read_head(call: Call = Depends(current_call)) -> HeadOut:
    """The newest signed head: keep it elsewhere, and no history before it can be changed unnoticed."""
    with call.reading() as unit:
        return _head(service.latest_head(unit))


@routes.post("/heads", needs=Permission.AUDIT_READ)
def sign_head(call: Call = Depends(current_call)) -> HeadOut:
    """Sign the log as it stands now."""
    # The key is asked for inside the unit: outside it might be replaced before the head is signed.
    return call.once(HeadOut, lambda unit: _head(service.sign_head(unit, _keys(call).audit_signer())))


@routes.get("/keys", needs=Permission.AUDIT_READ)
def list_keys(call: Call = Depends(current_call)) -> KeysOut:
    """Keys to verify heads with; compare them with a copy that did not come from this server."""
    return KeysOut(keys={key_id: raw.hex() for key_id, raw in _keys(call).audit_keys().items()})


@routes.get("/consistency", needs=Permission.AUDIT_READ)
def prove_consistency(first: Count, second: Count, call: Call = Depends(current_call)) -> ConsistencyOut:
    """That the log of `second` entries begins with the log of `first`."""
    with call.reading() as unit:
        proof = service.prove_consistency(unit, first, second)
    return ConsistencyOut(first=first, second=second, path=[step.hex() for step in proof.path])


@routes.get("/subjects/{subject_id}", needs=Permission.AUDIT_READ)
def read_ledger(subject_id: str, call: Call = Depends(current_call)) -> LedgerOut:
    """What was done with one subject's data, with proofs; the look is recorded."""
    with call.unit() as unit:
        return _ledger(service.ledger_of(unit, subject_id))


@routes.get("/mine", needs=SignedIn("everybody may see what was recorded about themselves"))
def read_my_ledger(call: Call = Depends(current_call)) -> LedgerOut:
    """What was recorded about the caller, at a site that the caller knows."""
    if not call.actor.knows(call.site_id):
        raise NotFound("There is no such site here.")
    with call.unit() as unit:
        return _ledger(service.ledger_of(unit, unit.actor.id))


@routes.post("/expire", needs=Permission.AUDIT_EXPIRE)
def expire(body: ExpireIn, call: Call = Depends(current_call)) -> ExpiredOut:
    """Erase the bodies of the site's entries before an instant; hashes stay, and the log tells of it.

    Takes two people.
    """
    second_person: SecondPerson = call.request.app.state.second_person

    def deed(unit: Unit) -> ExpiredOut:
        facts = {"before": body.before.astimezone(UTC).isoformat()}
        second_person(unit, "audit.expire", facts, body.approval_id)
        segment = service.segment_before(unit, body.before)
        return ExpiredOut(entries=service.expire_segment(unit, segment, before=body.before) if segment else 0)

    return call.once(ExpiredOut, deed)


def _keys(call: Call) -> Keys:
    keys: Keys = call.request.app.state.vault
    return keys


def _entry(entry: Entry) -> EntryOut:
    return EntryOut(
        position=entry.position,
        event=entry.event,
        actor=entry.actor,
        subject_id=entry.subject_id,
        at=entry.at,
        facts=entry.facts,
    )


def _head(signed: SignedHead) -> HeadOut:
    return HeadOut.model_validate(service.head_json(signed))


def _proof(proof: InclusionProof) -> ProofOut:
    return ProofOut(position=proof.position, size=proof.size, path=[step.hex() for step in proof.path])


def _ledger(ledger: Ledger) -> LedgerOut:
    items = [
        LedgerEntryOut(entry=_entry(each.entry), proof=_proof(each.proof) if each.proof else None)
        for each in ledger.entries
    ]
    return LedgerOut(items=items, head=_head(ledger.head) if ledger.head else None)
