"""docs/reference/settings.md."""

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from doorward.app.reference.markdown import code, ended, headed, table
from doorward.platform.settings import Settings

LEAD = (
    "Read from the environment under these names, or from `doorward.toml` in the site's folder "
    "(there `DOORWARD_WEB__PORT` is `port` under `[web]`). The environment wins; unknown names stop it."
)


def page() -> str:
    """Every setting with its default."""
    rows = [
        (code(name), "" if field.default is None else code(str(field.default)), field.description or "")
        for name, field in _all_settings()
    ]
    return ended(headed("Settings", LEAD) + table(["name", "default", "what"], rows))


def _all_settings() -> Iterator[tuple[str, FieldInfo]]:
    for name, field in Settings.model_fields.items():
        inner: dict[str, Any] = getattr(field.annotation, "model_fields", {})
        for key, inner_field in inner.items():
            yield f"DOORWARD_{name}__{key}".upper(), inner_field
        if not inner:
            yield f"DOORWARD_{name}".upper(), field
