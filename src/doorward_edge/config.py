"""One TOML file says everything about one agent; what it does not know, it refuses."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from doorward.core.errors import Invalid
from doorward.core.wire import Direction
from doorward.vision.plates.model import Region
from doorward_edge.post import Orders

Part = Literal["face", "plate", "card", "qr", "pin"]


class Section(BaseModel, frozen=True, extra="forbid"):
    """A table of the file; an unknown key stops the start."""


class ServerTable(Section):
    """Where the server is, and how the agent recognises it."""

    url: str
    site_id: str
    public_key: str = Field(description="Ed25519 key that signs permits: 32 bytes in base 64.")
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
    """What moves. `on` and `off` are the bytes for the board, in hexadecimal."""

    kind: Literal["relay", "simulated"]
    device: Path | None = None
    on: str = Field("a00101a2", pattern="^([0-9a-fA-F]{2})+$")
    off: str = Field("a00100a1", pattern="^([0-9a-fA-F]{2})+$")
    speed: Literal[1200, 9600, 19200, 38400, 57600, 115200] = 9600

    @model_validator(mode="after")
    def _has_a_device(self) -> "BarrierTable":
        if self.kind == "relay" and self.device is None:
            raise ValueError("a relay needs its device")
        return self


class ReaderTable(Section):
    """A reader that sends one line for each card, code or PIN."""

    device: Path
    kind: Literal["card", "qr", "pin"] = "card"
    speed: Literal[1200, 9600, 19200, 38400, 57600, 115200] = 9600


class Config(Section):
    """The whole file."""

    agent_id: str = Field(min_length=1, max_length=64)
    gate_id: str = Field(min_length=1, max_length=64)
    key_file: Path
    state_file: Path
    direction: Direction = Direction.IN
    expects: tuple[Part, ...] = Field(("face",), min_length=1)
    gather_seconds: float = Field(6.0, gt=0, le=60)
    open_seconds: int = Field(5, ge=1, le=600)
    retry_seconds: float = Field(5.0, gt=0, le=600)
    refresh_seconds: float = Field(60.0, gt=0, le=3600)
    models_dir: Path | None = None
    server: ServerTable
    barrier: BarrierTable
    camera: CameraTable | None = None
    readers: tuple[ReaderTable, ...] = ()

    def orders(self) -> Orders:
        """What the agent's middle needs of it."""
        return Orders(
            agent_id=self.agent_id,
            gate_id=self.gate_id,
            direction=self.direction,
            expects=frozenset(self.expects),
            gather_seconds=self.gather_seconds,
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
    server = placed.get("server")
    if isinstance(server, dict):
        files = {name: server[name] for name in ("certificate", "api_key_file") if name in server}
        placed["server"] = server | {
            name: folder / value if isinstance(value, str) else value for name, value in files.items()
        }
    return placed
