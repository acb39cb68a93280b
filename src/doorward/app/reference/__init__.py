"""Writes docs/reference from the code itself; a test fails when the pages are stale."""

from collections.abc import Callable
from pathlib import Path

from doorward.app.reference import commands, events, rights, routes, settings

PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "events.md": events.page,
    "rights.md": rights.page,
    "routes.md": routes.page,
    "settings.md": settings.page,
}


def pages() -> dict[str, str]:
    """Every reference page by file name."""
    return {name: page() for name, page in PAGES.items()}


def write(folder: Path) -> None:
    """Write them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
