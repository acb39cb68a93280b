"""Which keeper holds the root key: now, and from the next rotation of it on."""

from pathlib import Path

from doorward.core.errors import Invalid
from doorward.platform.settings import Settings
from doorward.vault.drivers.custodians import FileCustodian, PassphraseCustodian
from doorward.vault.ports import Custodian
from doorward.vault.service import Vault

ROOT_KEY_FILE = "root.key"


def custodian_of(settings: Settings, keys_folder: Path) -> Custodian:
    """The one that the settings name; a key file in the keys folder if they name none."""
    keys = settings.keys
    if keys.file is not None and keys.passphrase is not None:
        raise Invalid("Name one custodian: keys.file or keys.passphrase, not both.")
    if keys.passphrase is not None:
        return PassphraseCustodian(keys.passphrase.get_secret_value())
    return FileCustodian(keys.file or keys_folder / ROOT_KEY_FILE)


def next_custodian(
    settings: Settings, vault: Vault, *, passphrase: str | None = None, file: Path | None = None
) -> Custodian:
    """One with a new root key: a passphrase, another file, or a fresh key in the present file's place."""
    if passphrase is not None:
        return PassphraseCustodian(passphrase)
    if file is not None:
        if file.exists():
            raise Invalid("The new key file exists already: name one that is yet to be made.")
        return FileCustodian(file)
    if vault.ring.custodian != "file":
        raise Invalid("A passphrase keeps this ring: give a new passphrase, or a new key file.")
    return FileCustodian(settings.keys.file or vault.ring.path.parent / ROOT_KEY_FILE, replacing=True)
