"""Writes docs/reference from the code itself; a test fails when the pages are stale."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from doorward.core.permissions import Permission
from doorward.platform.settings import Settings

MADE_BY = "<!-- written by `make reference`; do not edit -->"


def pages() -> dict[str, str]:
    """Every reference page by file name."""
    return {"rights.md": _rights(), "settings.md": _settings()}


def write(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)


def _settings() -> str:
    lines = [
        "# Settings",
        MADE_BY,
        "",
        "Read from the environment under these names, or from `doorward.toml` in the site's folder "
        "(there `DOORWARD_WEB__PORT` is `port` under `[web]`). The environment wins; unknown names stop it.",
        "",
        "| name | default | what |",
        "|---|---|---|",
    ]
    for name, field in _all_settings():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `{name}` | {default} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def _all_settings() -> Iterator[tuple[str, FieldInfo]]:
    for name, field in Settings.model_fields.items():
        inner: dict[str, Any] = getattr(field.annotation, "model_fields", {})
        for key, inner_field in inner.items():
            yield f"DOORWARD_{name}__{key}".upper(), inner_field
        if not inner:
            yield f"DOORWARD_{name}".upper(), field


def _rights() -> str:
    lines = ["# Rights", MADE_BY, "", "Each is held at one site or at every site.", ""]
    return "\n".join([*lines, *(f"* `{permission}`" for permission in Permission)]) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
