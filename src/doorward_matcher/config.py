"""One TOML file in the matcher's folder says everything about it; what it does not know, it refuses."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, ValidationError, model_validator

from doorward.core.errors import Denied, Invalid
from doorward.core.key_files import public_key_of
from doorward.core.loopback import is_loopback
from doorward.core.private import require_private, require_unchanged
from doorward.matching.sharing import cores

CONFIG_FILE: Final = "matcher.toml"
KEY_FILE: Final = "matcher-key.pem"
BLOCKS: Final = "blocks"
PORT: Final = 8444


class Config(BaseModel, frozen=True, extra="forbid"):
    """The whole file; an unknown key stops the start."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(PORT, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    deciders: tuple[str, ...] = Field(
        (), max_length=16, description="Public keys that may ask; each has blocks of its own."
    )
    tls: bool = Field(True, description="Serve HTTPS; plain HTTP is accepted on loopback only.")
    names: tuple[str, ...] = Field((), description="Names and addresses in the certificate of our own.")
    certificate: Path | None = Field(None, description="Certificate chain (PEM); unset makes one of our own.")
    private_key: Path | None = Field(None, description="Private key of the certificate (PEM, mode 0600).")
    client_authority: Path | None = Field(
        None, description="PEM file: only clients with a certificate of this authority are let in."
    )
    threads: int = Field(0, ge=0, le=256, description="Threads of one search; 0 takes every processor.")
    searches_at_once: int = Field(1, ge=1, le=64, description="Searches that run side by side.")
    waiting: int = Field(8, ge=0, le=256, description="Searches that wait; more are told to come again.")
    most_blocks: int = Field(
        65_536, ge=1, le=1 << 20, description="Blocks (2048 faces each) that are kept, of all deciders."
    )
    objects: str | None = Field(
        None,
        description="Store that deciders share, as s3://bucket/prefix: blocks are read there (extra `s3`).",
    )
    endpoint: str | None = Field(None, description="Address of an S3-compatible store that is not Amazon's.")
    workers: int = Field(
        0,
        ge=0,
        le=1024,
        description="Processes that share each search (needs Ray); 0 searches within this one.",
    )
    cluster: str | None = Field(
        None, description="Address of a running cluster for the workers; unset starts them on this machine."
    )

    @model_validator(mode="after")
    def _has_workers(self) -> "Config":
        if self.cluster is not None and not self.workers:
            raise ValueError("a cluster without workers searches nothing: set workers, or leave cluster out")
        return self

    @property
    def search_threads(self) -> int:
        """How many threads one search may use."""
        return self.threads or cores()

    def decider_keys(self) -> frozenset[bytes]:
        """The keys that may ask, as 32 bytes each."""
        return frozenset(public_key_of(text, named="deciders").public_bytes_raw() for text in self.deciders)


def load_config(folder: Path) -> Config:
    """The file of a matcher's folder; `Invalid` or `Denied` for whatever would lay it open."""
    path = folder / CONFIG_FILE
    try:
        require_unchanged(folder)
        require_unchanged(path)
        config = Config.model_validate(_placed(tomllib.loads(path.read_text(encoding="utf-8")), folder))
    except OSError as error:
        raise Invalid(
            f"There is no matcher in {folder}: make one with `doorward-matcher init`, or name its folder."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{CONFIG_FILE} is not TOML.") from error
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
        raise Invalid(f"{CONFIG_FILE} cannot be used: {'; '.join(faults)}") from None
    _refuse_exposed(config, folder)
    return config


def _refuse_exposed(config: Config, folder: Path) -> None:
    if not config.tls and not is_loopback(config.host):
        raise Denied('Plain HTTP is served on loopback only: set tls = true, or host = "127.0.0.1".')
    if (config.certificate is None) != (config.private_key is None):
        raise Invalid("Name both certificate and private_key, or neither.")
    if config.client_authority is not None and not config.tls:
        raise Invalid("client_authority needs tls = true.")
    if not config.decider_keys():
        raise Invalid("Nobody may ask: put the decider's public key into `deciders`.")
    for path in (folder / KEY_FILE, config.private_key, folder / BLOCKS):
        _require_own(path)
    for readable in (config.certificate, config.client_authority):
        if readable is not None and not readable.is_file():
            raise Invalid(f"There is no file {readable}.")


def _require_own(path: Path | None) -> None:
    if path is None:
        return
    try:
        require_private(path)
    except OSError as error:
        raise Invalid(
            f"{path.name} of the matcher is gone or cannot be read: restore it, or start a new folder with "
            "`doorward-matcher init`."
        ) from error


def _placed(found: dict[str, object], folder: Path) -> dict[str, object]:
    """Paths are meant from where the file lies, wherever the matcher is started."""
    names = ("certificate", "private_key", "client_authority")
    placed = {name: folder / value for name in names if isinstance(value := found.get(name), str)}
    return found | placed
