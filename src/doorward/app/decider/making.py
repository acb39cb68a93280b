"""Makes a decider: a folder with keys and records of its own, and a settings file that says who may ask."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from doorward.app.house import House, create_house
from doorward.core.clock import Clock
from doorward.core.errors import Conflict, Invalid
from doorward.core.key_files import public_key_of
from doorward.platform.settings import CONFIG_FILE


def make_decider(
    folder: Path, clock: Clock, *, servers: Sequence[str], host: str, port: int, names: Sequence[str]
) -> House:
    """A decider for these servers, opened; `Conflict` if there is one."""
    for text in servers:
        public_key_of(text, named="--server")
    if (folder / CONFIG_FILE).exists():
        raise Conflict("There is a decider or a site in this folder already: it is not overwritten.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / CONFIG_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(_text({"web": {"host": host, "port": port}, "deciding": _deciding(servers, names)}))
    except OSError as error:
        raise Invalid(f"{folder} cannot be written: name a folder that you own.") from error
    return create_house(folder, clock)


def _deciding(servers: Sequence[str], names: Sequence[str]) -> dict[str, object]:
    named: dict[str, object] = {"names": list(names)} if names else {}
    return {"servers": list(servers)} | named


def _text(tables: dict[str, dict[str, object]]) -> str:
    """TOML; what JSON writes of strings, numbers and lists, it reads the same."""
    lines = ["# Every setting: docs/reference/settings.md, under the names of [web], [keys], [matcher]."]
    for table, values in tables.items():
        lines += ["", f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    return "\n".join(lines) + "\n"
