"""What would lay a site open is refused at the start, with the command that mends it; the rest is said."""

from collections.abc import Iterator
from pathlib import Path

from psycopg.pq import Conninfo
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from doorward.core.errors import Invalid
from doorward.core.loopback import is_loopback
from doorward.core.private import require_private, require_unchanged
from doorward.platform.settings import Settings, secrets_in_file
from doorward.vision.decoding import missing_walls

PRIVATE_IN_DATA = ("doorward.db*", "objects", "agents", "agents/*")
PRIVATE_IN_KEYS = ("keyring.json", "tls-key.pem", "agent_*.pem")  # the root key: its custodian looks
KEYS_BESIDE_DATA = (
    "The root key lies beside the data: whoever takes the whole folder takes both. For a real site set "
    "DOORWARD_KEYS__FOLDER (or DOORWARD_KEYS__FILE) to other media, or DOORWARD_KEYS__PASSPHRASE_FILE."
)
KEYS_ON_THE_DISK = (
    "The root key lies on the same disk as the data: whoever takes the disk takes both. For a real site move "
    "it to other media, or set DOORWARD_KEYS__PASSPHRASE_FILE."
)
CONFIG_TELLS = (
    "doorward.toml holds a secret ({0}): it travels with each copy of the folder. Put it into a file of mode "
    "0600 elsewhere and name that file instead ({0}_file)."
)
OPEN_LINE = (
    "The database is on another machine and its line is not proven: add sslmode=verify-full and sslrootcert "
    "to database.url, or reach it through a local socket."
)

CLEAR_IN_POSTGRES = (
    "Records lie in PostgreSQL: names and faces are sealed, but who passed where and when lies in the clear "
    "there, by id. Encrypt its disks and backups (docs/security/at-rest.md)."
)


def refuse_exposed_folder(folder: Path) -> None:
    """`Invalid` if others could put their own settings or keys into the site's folder."""
    if folder.exists():
        require_unchanged(folder)


def refuse_exposed_files(data: Path, keys: Path) -> None:
    """`Invalid` for the first file or folder of records or keys that is not its owner's alone."""
    for place in (data, keys):
        require_private(place)
        for found in _found(place, PRIVATE_IN_DATA if place == data else PRIVATE_IN_KEYS):
            require_private(found)


def require_proven_line(url: str) -> None:
    """`Invalid` unless the database is on this machine or proves by certificate that it is the one named."""
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise Invalid("database.url is not a database URL: postgresql+psycopg://user@host/name.") from error
    if parts.query.get("sslmode") != "verify-full" and not all(map(_is_local, _hosts_of(parts))):
        raise Invalid(OPEN_LINE)


def warnings_of(folder: Path, data: Path, keys: Path, settings: Settings) -> tuple[str, ...]:
    """What an operator should know at every start."""
    said = [_beside(folder, data, settings.keys.file or keys)] if settings.keys.passphrase is None else []
    said += [CONFIG_TELLS.format(name) for name in secrets_in_file(folder)]
    said += [CLEAR_IN_POSTGRES] if settings.database.url is not None else []
    said += [f"Pictures are decoded in a weaker cage on this machine: {words}." for words in missing_walls()]
    return tuple(words for words in said if words)


def _beside(folder: Path, data: Path, key: Path) -> str | None:
    place, records = key.resolve(), data.resolve()
    if not place.exists() or place.stat().st_dev != records.stat().st_dev:
        return None
    is_near = any(place.is_relative_to(one) for one in (folder.resolve(), records))
    return KEYS_BESIDE_DATA if is_near or place.parent == records.parent else KEYS_ON_THE_DISK


def _found(place: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    return (found for pattern in patterns for found in sorted(place.glob(pattern)))


def _hosts_of(url: URL) -> list[str]:
    """Every host that the driver might speak to; a named service could be anywhere."""
    if "service" in url.query:
        return ["a service"]
    named = [url.host or "", *_values(url, "host"), *_values(url, "hostaddr")]
    return [host for host in named if host] or _usual_hosts()


def _values(url: URL, key: str) -> list[str]:
    value = url.query.get(key, ())
    values = (value,) if isinstance(value, str) else value
    return [part for text in values for part in text.split(",")]


def _usual_hosts() -> list[str]:
    """Where the driver turns when no host is named: what its own environment says, else the local socket."""
    usual = {one.keyword: one.val for one in Conninfo.get_defaults()}
    return [value.decode() for key in (b"host", b"hostaddr", b"service") if (value := usual.get(key))]


def _is_local(host: str) -> bool:
    name = host.partition(":")[0] if host.count(":") == 1 else host
    return host.startswith(("/", "@")) or is_loopback(name)
