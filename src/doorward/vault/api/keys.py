"""Keys over HTTP: how they stand, their public halves, and changing every one of them while all goes on."""

from collections.abc import Callable
from datetime import datetime

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field, SecretStr

from doorward.audit.ports import SecondPerson
from doorward.core.errors import Invalid
from doorward.core.permissions import Permission
from doorward.platform.web import API_PREFIX, Call, Routes, current_call
from doorward.vault import service
from doorward.vault.model import KeyName, KeyState, Purpose, Use
from doorward.vault.ports import Custodian
from doorward.vault.rules import WRAPPING

routes = Routes(API_PREFIX + "/vault", tag="vault")
ROTATE = Permission.VAULT_ROTATE
# As many rows as a caller may be kept waiting for; the schedule moves the rest.
MOST_AT_ONCE = 10_000


class KeyOut(BaseModel):
    """A key's live generations, newest first; `left` rows still lie under older ones."""

    key: str
    generations: list[int]
    made_at: datetime | None
    left: int
    can_rotate: bool


class KeysOut(BaseModel):
    """Every key of the ring, what keeps its root, and the ring's id, which changes with the root."""

    ring_id: str
    custodian: str
    keys: list[KeyOut]


class PublicKeysOut(BaseModel):
    """Every verification key that a purpose ever had, by key id, in hexadecimal."""

    keys: dict[str, str]


class RotateIn(BaseModel):
    """Which key: its use and its purpose."""

    use: Use
    purpose: Purpose


class RotatedOut(BaseModel):
    """The generation now in use, how many rows were moved to it, and whether that was all of them."""

    key: str
    generation: int
    moved: int
    done: bool


class RatchetOut(BaseModel):
    """What became of the keys that wrap data keys."""

    turned: list[RotatedOut]


class RekeyedOut(BaseModel):
    """The generation of the database file's key."""

    generation: int


class RootIn(BaseModel):
    """A new passphrase; without one, a fresh key takes the place of the one in the key file.

    The approval is one of `vault.rotate-root` with the facts `custodian` (`passphrase` or `file`) and
    `ring`, the present ring's id.
    """

    passphrase: SecretStr | None = Field(None, max_length=1000)
    approval_id: str | None = Field(None, max_length=64)


class RootOut(BaseModel):
    """What now keeps the root key, and the ring's new id."""

    custodian: str
    ring_id: str


@routes.get("/keys", needs=ROTATE)
def list_all(call: Call = Depends(current_call)) -> KeysOut:
    """How every key stands; never a key."""
    vault, keepers = _vault(call), keepers_of(call.request.app)
    with call.reading() as unit:
        found = service.survey(unit, vault, keepers.movers, keepers.counters)
    ring = vault.ring.read()
    return KeysOut(ring_id=ring.ring_id, custodian=vault.ring.custodian, keys=[_key(one) for one in found])


@routes.get("/keys/{purpose}", needs=Permission.AUDIT_READ)
def list_public_keys(purpose: Purpose, call: Call = Depends(current_call)) -> PublicKeysOut:
    """Keys to verify signatures with; compare them with a copy that did not come from this server."""
    return PublicKeysOut(keys={name: raw.hex() for name, raw in _vault(call).public_keys(purpose).items()})


@routes.post("/rotations", needs=ROTATE)
def rotate(body: RotateIn, call: Call = Depends(current_call)) -> RotatedOut:
    """Replace a key and destroy the old one while everything goes on; a repeat resumes what was cut short."""
    name = KeyName(body.use, body.purpose)
    if name not in _vault(call).ring.read().keys:
        raise Invalid("There is no such key: see docs/security/keys.md for uses and purposes.")
    return _rotated(call, name)


@routes.post("/ratchet", needs=ROTATE)
def ratchet(call: Call = Depends(current_call)) -> RatchetOut:
    """Make every older copy of the database useless without today's key set."""
    return RatchetOut(turned=[_rotated(call, KeyName(Use.WRAP, purpose)) for purpose in WRAPPING])


@routes.post("/rekey", needs=ROTATE)
def rekey(call: Call = Depends(current_call)) -> RekeyedOut:
    """Encrypt the database file anew, while it is open."""
    database = call.request.app.state.database
    return RekeyedOut(generation=service.rotate_database_key(database, _vault(call), actor=call.actor))


@routes.post("/root", needs=ROTATE)
def rotate_root(body: RootIn, call: Call = Depends(current_call)) -> RootOut:
    """Put the key ring under another root key. Takes two people, and is not done twice for one approval."""
    vault, state = _vault(call), call.request.app.state
    second_person: SecondPerson = state.second_person
    next_custodian: Callable[[str | None], Custodian] = state.next_custodian
    custodian = next_custodian(body.passphrase.get_secret_value() if body.passphrase else None)
    kind = "passphrase" if body.passphrase else "file"
    with call.unit() as unit:
        facts = {"custodian": kind, "ring": vault.ring.read().ring_id}
        second_person(unit, "vault.rotate-root", facts, body.approval_id)
        following = service.announce_root(unit, vault, custodian)
    with call.unit() as unit:
        service.change_root(unit, vault, following)
    return RootOut(custodian=kind, ring_id=vault.ring.read().ring_id)


def keepers_of(app: FastAPI) -> service.Keepers:
    """What every room keeps under keys."""
    keepers: service.Keepers = app.state.keepers
    return keepers


def _rotated(call: Call, name: KeyName) -> RotatedOut:
    done = service.rotate(
        call.request.app.state.database,
        _vault(call),
        name,
        keepers_of(call.request.app).movers,
        actor=call.actor,
        most=MOST_AT_ONCE,
    )
    return RotatedOut(key=str(done.name), generation=done.generation, moved=done.moved, done=done.done)


def _key(state: KeyState) -> KeyOut:
    return KeyOut(
        key=str(state.name),
        generations=list(state.generations),
        made_at=state.made_at,
        left=state.left,
        can_rotate=state.movable,
    )


def _vault(call: Call) -> service.Vault:
    vault: service.Vault = call.request.app.state.vault
    return vault
