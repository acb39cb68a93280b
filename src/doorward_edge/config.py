"""One TOML file says everything about one agent; what it does not know, it refuses."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from doorward.core.errors import Invalid
from doorward.core.wire import Direction
from doorward.vision.plates.model import Region
from doorward_edge.ports import Input
from doorward_edge.post import Orders

Part = Literal["face", "plate", "card", "qr", "pin"]
Speed = Literal[1200, 9600, 19200, 38400, 57600, 115200]
Parts = Annotated[tuple[Part, ...], Field(min_length=1)]


class Section(BaseModel, frozen=True, extra="forbid"):
    """A table of the file; an unknown key stops the start."""


class ServerTable(Section):
    """Where the server is, and how the agent recognises it."""

    url: str
    site_id: str
    public_key: str | tuple[str, ...] = Field(
        min_length=1, description="Ed25519 keys that permits may be signed with: base 64 or hexadecimal."
    )
    certificate: Path | None = Field(None, description="PEM file; only this certificate is trusted.")
    api_key_file: Path | None = Field(None, description="File of mode 0600 with the agent's API key.")
    connect_seconds: float = Field(1.0, gt=0, le=10)
    answer_seconds: float = Field(2.0, gt=0, le=10)


class CameraTable(Section):
    """What the camera is and what to look for. `source` may hold a password: keep the file to yourself."""

    source: str
    looks_for: Literal["face", "plate"] = "face"
    region: Region = Field(Region.LATIN, description="Whose plates are expected here.")
    challenge: bool = Field(False, description="Each face must first pass a liveness challenge.")
    frames_per_second: float = Field(12.0, gt=0, le=60)
    longest_side: int = Field(1280, ge=320, le=3840)
    frames_needed: int = Field(3, ge=2, le=50)
    again_seconds: float | None = Field(30.0, gt=0)
    processor_share: float = Field(0.8, gt=0, le=2)


class BarrierTable(Section):
    """What moves. `on` and `off` are the bytes for the board, in hexadecimal.

    Agents on both sides of one strike name the same `shared_file`. `relocks` lets go when the leaf has shut.
    """

    kind: Literal["relay", "simulated"]
    device: Path | None = None
    on: str = Field("a00101a2", pattern="^([0-9a-fA-F]{2})+$")
    off: str = Field("a00100a1", pattern="^([0-9a-fA-F]{2})+$")
    speed: Speed = 9600
    shared_file: Path | None = None
    relocks: bool = False

    @model_validator(mode="after")
    def _has_a_device(self) -> "BarrierTable":
        if self.kind == "relay" and self.device is None:
            raise ValueError("a relay needs its device")
        return self


class ReaderTable(Section):
    """A reader that sends one line for each card, code or PIN."""

    device: Path
    kind: Literal["card", "qr", "pin"] = "card"
    speed: Speed = 9600
    id: str = ""


class ContactTable(Section):
    """One contact: its name on the board, what it means, and the value at which it is active."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_./-]+$")
    means: Input
    active_at: str = "1"


class InputsTable(Section):
    """Contacts behind one device: `lines` of a board, or `files` in a folder; `hello` (hex) asks it."""

    kind: Literal["lines", "files"] = "lines"
    device: Path
    speed: Speed = 9600
    hello: str = Field("", pattern="^([0-9a-fA-F]{2})*$")
    contacts: tuple[ContactTable, ...] = Field(min_length=1)


class Config(Section):
    """The whole file."""

    agent_id: str = Field(min_length=1, max_length=64)
    gate_id: str = Field(min_length=1, max_length=64)
    key_file: Path
    state_file: Path
    direction: Direction = Direction.IN
    expects: Parts | Annotated[tuple[Parts, ...], Field(min_length=1)] = ("face",)
    gather_seconds: float = Field(6.0, gt=0, le=60)
    challenge_seconds: float = Field(30.0, gt=0, le=60)
    stale_seconds: float = Field(5.0, gt=0, le=20)
    exit_opens: bool = False
    open_seconds: int = Field(5, ge=1, le=600)
    retry_seconds: float = Field(5.0, gt=0, le=600)
    refresh_seconds: float = Field(60.0, gt=0, le=3600)
    models_dir: Path | None = None
    server: ServerTable
    barrier: BarrierTable
    camera: CameraTable | None = None
    readers: tuple[ReaderTable, ...] = ()
    inputs: tuple[InputsTable, ...] = ()

    @property
    def alternatives(self) -> tuple[frozenset[str], ...]:
        """What makes a passage: one list of parts, or several of which one suffices."""
        listed = [one for one in self.expects if isinstance(one, tuple)]
        return tuple(map(frozenset, listed)) or (frozenset(str(one) for one in self.expects),)

    @property
    def lets_out(self) -> bool:
        """Whether this agent may be all that lets somebody out: a way out, an exit button, a fire contact."""
        meant = {contact.means for table in self.inputs for contact in table.contacts}
        return (
            self.direction is Direction.OUT
            or Input.FIRE in meant
            or (self.exit_opens and Input.EXIT in meant)
        )

    @property
    def server_keys(self) -> tuple[str, ...]:
        """The keys of the server that count from the start."""
        key = self.server.public_key
        return (key,) if isinstance(key, str) else key

    def orders(self) -> Orders:
        """What the agent's middle needs of it."""
        return Orders(
            agent_id=self.agent_id,
            gate_id=self.gate_id,
            direction=self.direction,
            expects=self.alternatives,
            gather_seconds=self.gather_seconds,
            challenge_seconds=self.challenge_seconds,
            stale_seconds=self.stale_seconds,
            exit_opens=self.exit_opens,
            relocks=self.barrier.relocks,
            open_seconds=self.open_seconds,
            retry_seconds=self.retry_seconds,
            refresh_seconds=self.refresh_seconds,
        )


def load_config(path: Path) -> Config:
    """Read an agent's file; `Invalid` names every key that is unknown or unusable, and no value."""
    try:
        if path.stat().st_mode & 0o077:
            raise Invalid("Others may read the agent's file, which may hold a password: chmod 600 it.")
        found = tomllib.loads(path.read_text())
        return Config.model_validate(_placed(found, path.parent))
    except OSError as error:
        raise Invalid("The agent's file cannot be read: check its path and that you own it.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid("The agent's file is not TOML.") from error
    except ValidationError as error:
        faults = [f"{'.'.join(str(p) for p in f['loc'])}: {f['msg']}" for f in error.errors()]
        raise Invalid("The agent's file cannot be used: " + "; ".join(faults)) from None


def _placed(found: dict[str, object], folder: Path) -> dict[str, object]:
    """Paths are meant from where the file lies, wherever the agent is started."""
    placed = dict(found)
    for name in ("key_file", "state_file", "models_dir"):
        if isinstance(value := placed.get(name), str):
            placed[name] = folder / value
    for table, names in {"server": ("certificate", "api_key_file"), "barrier": ("shared_file",)}.items():
        section = placed.get(table)
        if isinstance(section, dict):
            files = {name: section[name] for name in names if isinstance(section.get(name), str)}
            placed[table] = section | {name: folder / value for name, value in files.items()}
    return placed
