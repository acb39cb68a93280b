"""Starts a decider, or refuses with a sentence when that would expose anything."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from doorward.app.decider.desk import DecidingDesk
from doorward.app.decider.keys import public_text_of
from doorward.app.house import House, keys_folder, open_house
from doorward.app.schedule import Worker
from doorward.app.serve import door_of, server_files
from doorward.app.wiring import build_handlers, build_schedule
from doorward.core.clock import Clock
from doorward.core.errors import DoorwardError, Invalid
from doorward.core.key_files import public_key_of
from doorward.core.permissions import EVERY_SITE, system_actor
from doorward.core.tls import ensure_certificate, fingerprint
from doorward.gallery.service.keeping import list_sites
from doorward.platform.logs import configure_logs
from doorward.platform.settings import Settings
from doorward.vault.model import Purpose
from doorward_matcher.front import Front
from doorward_matcher.serving import server_of

ACTOR = system_actor("start")
Tell = Callable[[Mapping[str, object]], None]
# What comes round at a server is much about gates and people, of whom there are none here.
ROUNDS: Final = (
    "audit.checkpoint",
    "gallery.follow_settings",
    "gallery.sweep_blocks",
    "jobs.forget_done",
    "vault.close_log",
    "vault.ratchet",
    "vault.turn_keys",
)
NO_DECIDER: Final = (
    "This folder is no decider's: name one that `doorward-decider init` made, with deciding.servers in its "
    "doorward.toml."
)


def open_decider(folder: Path, clock: Clock) -> House:
    """A decider is a house without gates and people."""
    house = open_house(folder, clock)
    if not house.settings.deciding.servers:
        house.close()
        raise Invalid(NO_DECIDER)
    return house


def serve(folder: Path, clock: Clock, tell: Tell) -> None:
    """Serve until stopped."""
    house = open_decider(folder, clock)
    try:
        files = certificate_files(house)
        configure_logs("WARNING")
        front = Front(
            DecidingDesk(house).routes(),
            house.vault.signing_key(Purpose.DECIDER),
            servers_of(house.settings),
            clock,
        )
        server = server_of(front, files, house.settings.deciding.client_authority)
        schedule = {name: every for name, every in build_schedule(house).items() if name in ROUNDS}
        worker = Worker(house.database, house.site_id, build_handlers(house), schedule, sites=list_sites)
        _warm(house)
        with door_of(house.settings.web) as door:
            tell(facts_of(house, files))
            worker.start()
            try:
                with suppress(KeyboardInterrupt):
                    server.run(sockets=[door])
            finally:
                worker.stop()
    finally:
        house.close()


def _warm(house: House) -> None:
    """Open every gallery before anybody asks; what cannot be opened now is opened when asked."""
    with house.database.reading(ACTOR, EVERY_SITE) as unit:
        sites = list_sites(unit)
    for site_id in sites:
        with suppress(DoorwardError), house.database.unit(ACTOR, site_id) as unit:
            house.recogniser.matcher.count(unit)
    house.recogniser.matcher.prepare()


def servers_of(settings: Settings) -> frozenset[bytes]:
    """The keys that may ask, as 32 bytes each."""
    named = settings.deciding.servers
    return frozenset(public_key_of(text, named="deciding.servers").public_bytes_raw() for text in named)


def certificate_files(house: House) -> tuple[Path, Path] | None:
    """Certificate and key to serve with; None for plain HTTP, which is refused off loopback."""
    web, deciding = house.settings.web, house.settings.deciding
    if deciding.client_authority is not None and not web.tls:
        raise Invalid("deciding.client_authority needs web.tls = true.")
    keys = keys_folder(house.folder, house.settings)
    if web.tls and web.certificate is None and web.private_key is None:
        return ensure_certificate(keys, ["localhost", "127.0.0.1", *deciding.names], house.database.clock())
    return server_files(web, keys, house)


def facts_of(house: House, files: tuple[Path, Path] | None) -> dict[str, object]:
    """What the server must be told, and what an operator should know."""
    web, names = house.settings.web, house.settings.deciding.names
    name = names[0] if names else web.host
    facts: dict[str, object] = {
        "url": f"{'https' if files else 'http'}://{f'[{name}]' if ':' in name else name}:{web.port}",
        "public_key": public_text_of(house.vault),
    }
    if files:
        facts |= {"certificate": str(files[0]), "certificate_sha256": fingerprint(files[0])}
    return facts | ({"warnings": list(house.warnings)} if house.warnings else {})
