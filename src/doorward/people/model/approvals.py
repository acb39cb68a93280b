"""Deeds that need two people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Action(StrEnum):
    """What one person alone may not do."""

    APPOINT_APPROVER = "staff.appoint-approver"
    AUDIT_EXPIRE = "audit.expire"
    ENROL_ALIKE = "people.enrol-alike"
    ERASE_MANY = "people.erase-many"
    ERASE_VEHICLES = "vehicles.erase-many"
    EXPORT_MANY = "people.export-many"
    FACE_SEARCH = "gates.face-search"
    LOOK_ON = "people.look-on"
    RENEW_GALLERY = "gallery.renew"
    ROTATE_ROOT = "vault.rotate-root"
    TRUST_MATCHER = "gallery.trust"
    UNSEAT_APPROVER = "staff.unseat-approver"


@dataclass(frozen=True, slots=True)
class Approval:
    """A proposal and what became of it; `proposer_account` is the person behind an API key."""

    id: str
    site_id: str
    action: Action
    facts: Mapping[str, object]
    digest: str
    sealed_reason: bytes
    proposed_by: str
    proposer_account: str
    expires_at: datetime
    approved_by: str | None
    used: bool
    withdrawn: bool
