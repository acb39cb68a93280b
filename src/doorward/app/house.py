"""The opened house: settings, keys and records of one site folder, ready for commands, server and jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine

from doorward.app.custody import custodian_of
from doorward.app.decider.keys import face_keys_of
from doorward.app.exposure import (
    refuse_exposed_files,
    refuse_exposed_folder,
    require_proven_line,
    warnings_of,
)
from doorward.app.matchers import (
    blocks_of,
    close_matcher,
    decider_of,
    matcher_of,
    missing_library,
    schemes_of,
)
from doorward.app.schema import NO_RECORDS, refuse_used, upgrade
from doorward.audit.service import record
from doorward.core.clock import Clock, system_clock
from doorward.core.errors import Conflict, Invalid, NotFound, Unavailable
from doorward.core.keys import ServerKeys
from doorward.core.permissions import Actor, system_actor
from doorward.gallery.service import KeyHolder
from doorward.gallery.service.keeping import kept_templates
from doorward.gates.model import SiteRules
from doorward.gates.service import Post, set_site_rules
from doorward.gates.service.known import Known
from doorward.people.drivers.blind_matcher import BlindMatcher
from doorward.people.ports import Matcher as PeopleMatcher
from doorward.people.service.recogniser import Recogniser
from doorward.people.service.templates import templates_of
from doorward.platform.db import Database, Unit
from doorward.platform.engine import encrypted_sqlite, postgres
from doorward.platform.settings import Settings, load_settings
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.model import Purpose
from doorward.vault.service import Vault
from doorward.vision import weights

DATABASE_FILE = "doorward.db"
CONSOLE = system_actor("console")  # whoever sits at the machine and holds its key


@dataclass(frozen=True, slots=True)
class House:
    """Everything that is open. `site_id` is the site that this process speaks of when none is named."""

    folder: Path
    settings: Settings
    database: Database
    vault: Vault
    keyholder: KeyHolder
    recogniser: Recogniser
    post: Post

    @property
    def site_id(self) -> str:
        """The site that this process speaks of when none is named."""
        return self.settings.site

    @contextmanager
    def unit(self, actor: Actor | None = None) -> Iterator[Unit]:
        """A unit at this site; by default for whoever sits at the machine and holds its key."""
        with self.database.unit(actor or CONSOLE, self.site_id) as unit:
            yield unit

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know at every start."""
        places = data_folder(self.folder, self.settings), keys_folder(self.folder, self.settings)
        return warnings_of(self.folder, *places, self.settings) + missing_library(self.keyholder.schemes)

    def close(self) -> None:
        """Let go of files and lines."""
        self.database.engine.dispose()
        close_matcher(self.keyholder.matcher)
        close_matcher(self.recogniser.matcher)


def create_house(folder: Path, clock: Clock = system_clock) -> House:
    """Make a site in a folder that has none: keys, encrypted database, first audit entry."""
    refuse_exposed_folder(folder)
    settings = load_settings(folder)
    data, keys = data_folder(folder, settings), keys_folder(folder, settings)
    if (keys / "keyring.json").exists():
        raise Conflict("There is a site in this folder already: it is not overwritten.")
    _require_unused(settings)
    for place in (folder, data, keys):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    Vault.create(keys, custodian_of(settings, keys), _objects(folder, settings), now=clock())
    house = _open(folder, clock, is_new=True)
    with house.unit() as unit:
        set_site_rules(unit, SiteRules())
        record(unit, "site.created")
    return house


def open_house(folder: Path, clock: Clock = system_clock) -> House:
    """Open the site in a folder, its tables brought up to date; clear refusals when something is amiss."""
    return _open(folder, clock, is_new=False)


def _open(folder: Path, clock: Clock, *, is_new: bool) -> House:
    refuse_exposed_folder(folder)
    settings = load_settings(folder)
    if not folder.is_dir() or not keys_folder(folder, settings).is_dir():
        raise NotFound(f"There is no site in {folder}: make one with `doorward init`, or name its --folder.")
    data, keys = data_folder(folder, settings), keys_folder(folder, settings)
    _require_folder(data)
    refuse_exposed_files(data, keys)
    weights.use(settings.models_dir)
    vault = Vault.open(keys, custodian_of(settings, keys), _objects(folder, settings))
    vault.ring.stay()
    if not is_new:
        _require_database(folder, settings)
    elif settings.database.url is None:
        (data / DATABASE_FILE).touch(mode=0o600)
    engine = _engine(folder, settings, vault)
    upgrade(engine, is_new=is_new)
    keyholder = _keyholder(folder, settings, vault, clock)
    recogniser = Recogniser(vault, _matcher(settings, vault, keyholder, clock))
    post = _post(settings, vault, recogniser)
    return House(folder, settings, Database(engine, clock), vault, keyholder, recogniser, post)


def data_folder(folder: Path, settings: Settings) -> Path:
    """Where database and photos lie."""
    return settings.data_dir or folder / "data"


def keys_folder(folder: Path, settings: Settings) -> Path:
    """Where the key ring lies."""
    return settings.keys.folder or folder / "keys"


def _post(settings: Settings, vault: Vault, recogniser: Recogniser) -> Post:
    signer, *older = vault.signers(Purpose.GATES)
    return Post(
        identifier=Known(recogniser),
        keys=ServerKeys.from_signing_key(
            signer.key_id, signer.private_key, [one.private_key for one in older]
        ),
        permit_seconds=settings.gates.permit_seconds,
        clock_tolerance_seconds=settings.gates.clock_tolerance_seconds,
        patience_seconds=settings.gates.patience_seconds,
    )


def _keyholder(folder: Path, settings: Settings, vault: Vault, clock: Clock) -> KeyHolder:
    blocks = blocks_of(settings.matcher, data_folder(folder, settings) / "gallery")
    matcher, threads = matcher_of(settings.matcher, blocks, vault, clock)
    # A decider keeps templates of its own; a site's lie with its people.
    kept = kept_templates if settings.deciding.servers else templates_of
    schemes, templates = schemes_of(settings.matcher.kind), partial(kept, vault)
    return KeyHolder(vault, blocks, matcher, schemes=schemes, templates=templates, threads=threads)


def _matcher(settings: Settings, vault: Vault, keyholder: KeyHolder, clock: Clock) -> PeopleMatcher:
    """Who says whose face it is: a decider elsewhere, or the key holder in this process."""
    if settings.decider.url is not None:
        if settings.deciding.servers:
            raise Invalid("A folder is a site's with [decider], or a decider's with [deciding], not both.")
        return decider_of(settings.decider, vault, clock)
    purpose = Purpose.DECIDER if settings.deciding.servers else Purpose.GATES
    return BlindMatcher(keyholder, face_keys_of(vault, purpose))


def _objects(folder: Path, settings: Settings) -> FolderObjects:
    return FolderObjects(data_folder(folder, settings) / "objects")


def _engine(folder: Path, settings: Settings, vault: Vault) -> Engine:
    url = settings.database.url
    if url is not None:
        return _grown(url)
    return encrypted_sqlite(data_folder(folder, settings) / DATABASE_FILE, vault.database_keys)


def _grown(url: SecretStr) -> Engine:
    require_proven_line(url.get_secret_value())
    return postgres(url.get_secret_value())


def _require_unused(settings: Settings) -> None:
    """Before any key is made: unlike a file of our own, a database on PostgreSQL is there first."""
    if settings.database.url is not None:
        engine = _grown(settings.database.url)
        try:
            refuse_used(engine)
        finally:
            engine.dispose()


def _require_database(folder: Path, settings: Settings) -> None:
    """`Unavailable` if the file is gone or empty: SQLite would make a new one, and nobody would be known."""
    path = data_folder(folder, settings) / DATABASE_FILE
    if settings.database.url is None and not (path.exists() and path.stat().st_size):
        raise Unavailable(NO_RECORDS)


def _require_folder(place: Path) -> None:
    if not place.is_dir():
        raise NotFound(f"The folder {place.name} of this site is missing: mount it or restore it.")
