"""Every table of the house, known to the metadata by being imported here."""

from doorward.audit import store as audit_store
from doorward.gallery import store as gallery_store
from doorward.gates import store as gates_store
from doorward.people.store import (
    api_keys,
    approvals,
    counted,
    credentials,
    faces,
    factors,
    persons,
    roles,
    sessions,
    staff,
    vehicles,
)
from doorward.platform import idempotency, jobs
from doorward.platform.db import Base
from doorward.vault import store as vault_store

PEOPLE = (
    api_keys,
    approvals,
    counted,
    credentials,
    faces,
    factors,
    persons,
    roles,
    sessions,
    staff,
    vehicles,
)
ROOMS_WITH_TABLES = (audit_store, vault_store, gallery_store, gates_store, *PEOPLE, idempotency, jobs)
METADATA = Base.metadata
