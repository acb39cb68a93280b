"""Makes a matcher: a folder of mode 0700 with its key, and a settings file that explains itself."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.errors import Conflict, Invalid
from doorward.core.key_files import make_key_file, public_key_of
from doorward_matcher.config import BLOCKS, CONFIG_FILE, KEY_FILE, Config

OFTEN_SET = ("host", "port", "deciders", "names")


def make_matcher(
    folder: Path, *, deciders: Sequence[str], host: str, port: int, names: Sequence[str]
) -> Ed25519PrivateKey:
    """A matcher for these deciders; `Conflict` if there is one."""
    for text in deciders:
        public_key_of(text, named="--decider")
    if (folder / CONFIG_FILE).exists() or (folder / KEY_FILE).exists():
        raise Conflict("There is a matcher in this folder already: it is not overwritten.")
    try:
        for place in (folder, folder / BLOCKS):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = make_key_file(folder / KEY_FILE)
        text = settings_text({"host": host, "port": port, "deciders": deciders, "names": names})
        with os.fdopen(
            os.open(folder / CONFIG_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as out:
            out.write(text)
    except OSError as error:
        raise Invalid(f"{folder} cannot be written: name a folder that you own.") from error
    return key


def settings_text(chosen: dict[str, object]) -> str:
    """The settings file: each setting with what it means, and what was not chosen as a comment."""
    lines = []
    for name, field in Config.model_fields.items():
        value = chosen.get(name, field.default)
        lines.append(f"# {field.description}")
        shown = json.dumps(list(value) if isinstance(value, (list, tuple)) else value)  # TOML reads the same
        if name in OFTEN_SET:
            lines.append(f"{name} = {shown}")
        else:
            lines.append(f"# {name} = {shown if value is not None else json.dumps('file.pem')}")
    return "\n".join(lines) + "\n"
