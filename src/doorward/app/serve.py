"""Start the server, or refuse with a sentence when that would expose anybody."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn
from rich.markup import escape
from starlette.types import ASGIApp

from doorward.app.address import origin
from doorward.app.console import Voice
from doorward.app.first_link import tell_first_link
from doorward.app.house import House, keys_folder
from doorward.app.warming import warm
from doorward.app.wiring import build_api, build_worker
from doorward.core.connections import LONGEST_HEAD, PatientConnection
from doorward.core.errors import Conflict, Denied, Invalid, Unavailable
from doorward.core.loopback import is_loopback
from doorward.core.permissions import EVERY_SITE, system_actor
from doorward.core.private import require_private
from doorward.core.tls import ensure_certificate, fingerprint
from doorward.people.service.first import make_first_link
from doorward.platform.logs import configure_logs
from doorward.platform.settings import Web

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 (addresses that are no name to put into a certificate)


def serve(house: House, voice: Voice, *, beside: Sequence[str] = ()) -> None:
    """Serve until stopped. `beside` are lines to tell along with where to go."""
    web = house.settings.web
    if house.settings.deciding.servers:
        raise Conflict("This folder is a decider's: run `doorward-decider serve` on it.")
    files = server_files(web, keys_folder(house.folder, house.settings), house)
    configure_logs("WARNING")
    config = server_config(build_api(house), files)
    worker = build_worker(house)
    with door_of(web) as door:
        warm(house)
        _welcome(house, voice, files, beside)
        worker.start()
        try:
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[door])
        finally:
            worker.stop()


def server_config(api: ASGIApp, files: tuple[Path, Path] | None = None) -> uvicorn.Config:
    """How connections are kept: short heads, no silent ones, and nobody speaks for another's address."""
    return uvicorn.Config(
        api,
        http=PatientConnection,
        ws="none",
        h11_max_incomplete_event_size=LONGEST_HEAD,
        proxy_headers=False,
        ssl_certfile=str(files[0]) if files else None,
        ssl_keyfile=str(files[1]) if files else None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


def door_of(web: Web) -> socket.socket:
    """Where visitors knock; taken before anybody is told of it."""
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    try:
        door = socket.create_server((web.host, web.port), family=family, backlog=2048)
    except OSError as error:
        raise Unavailable(
            f"Nobody can listen at {web.host}, port {web.port}: stop whatever does, or change web.port."
        ) from error
    # The loop sees to this only for sockets that name their protocol; without it an answer waits 40 ms.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


def server_files(web: Web, folder: Path, house: House) -> tuple[Path, Path] | None:
    """Certificate and key to serve with; None for plain HTTP, which is refused off loopback."""
    if not web.tls:
        if not is_loopback(web.host):
            raise Denied("Plain HTTP is served on loopback only: set web.tls, or web.host to 127.0.0.1.")
        return None
    if (web.certificate is None) != (web.private_key is None):
        raise Invalid("Name both web.certificate and web.private_key, or neither.")
    if web.certificate is not None and web.private_key is not None:
        _require_key(web.private_key)
        return web.certificate, web.private_key
    hosts = ["localhost", "127.0.0.1"] + ([] if is_loopback(web.host) else [web.host])
    return ensure_certificate(
        folder, [host for host in hosts if host not in EVERYWHERE], house.database.clock()
    )


def _require_key(key: Path) -> None:
    try:
        require_private(key)
    except OSError as error:
        raise Invalid("The private key of the certificate cannot be read: check web.private_key.") from error


def _welcome(house: House, voice: Voice, files: tuple[Path, Path] | None, beside: Sequence[str]) -> None:
    with house.database.unit(system_actor("start"), EVERY_SITE) as unit:
        token = make_first_link(unit, house.vault)
    where = origin(house.settings.web)
    facts: dict[str, object] = {"url": where}
    lines = [f"[bold]Doorward is at {escape(where)}[/]"]
    if files is not None:
        facts["certificate_sha256"] = fingerprint(files[0])
        lines.append(f"  Its certificate (SHA-256): {facts['certificate_sha256']}")
    keys = keys_folder(house.folder, house.settings)
    told = tell_first_link(f"{where}/setup#{token}" if token is not None else None, keys)
    if told is not None:
        facts[told[0]] = told[1]
        lines.append(f"  First administrator (once, within an hour): {escape(told[1])}")
    lines += [f"  {escape(line)}" for line in (*beside, *house.warnings)]
    voice.answer(facts, "\n".join(lines), markup=True)
