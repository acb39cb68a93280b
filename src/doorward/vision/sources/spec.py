"""What a user wrote as a source, understood without opening it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from doorward.core.errors import Invalid, NotFound

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".gif", ".ppm"}
)
_IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
_CAMERA = re.compile(r"camera:(\d{1,2})")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class SourceKind(StrEnum):
    """The five things a source can be."""

    IMAGE = "image"
    FOLDER = "folder"
    VIDEO = "video"
    RTSP = "rtsp"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Target:
    """A source understood: `where` is a path, a URL or a device, and may hold a secret, so it has no repr."""

    kind: SourceKind
    where: str

    def __repr__(self) -> str:
        return f"Target({self.kind.value})"

    @property
    def is_live(self) -> bool:
        """Whether frames come when they come, not when they are asked for."""
        return self.kind in (SourceKind.RTSP, SourceKind.CAMERA)


def parse_source(spec: str) -> Target:
    """Which of the five kinds a spec names; `Invalid` or `NotFound` if it names none."""
    if _SCHEME.match(spec):
        return _network(spec)
    if camera := _CAMERA.fullmatch(spec):
        return Target(SourceKind.CAMERA, f"/dev/video{camera.group(1)}")
    path = Path(spec)
    if path.is_dir():
        return Target(SourceKind.FOLDER, str(path.absolute()))
    if not path.exists():
        raise NotFound("There is no such source: check the path, or write rtsp://... or camera:0.")
    if not path.is_file():
        raise Invalid("The source is neither a file nor a folder: name one, or write rtsp://... or camera:0.")
    kind = SourceKind.IMAGE if _looks_like_an_image(path) else SourceKind.VIDEO
    return Target(kind, str(path.absolute()))


def _network(spec: str) -> Target:
    try:
        parts = urlsplit(spec)
        usable = parts.scheme.lower() in ("rtsp", "rtsps") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Invalid("A network camera is named as rtsp://user:password@host:554/path.")
    return Target(SourceKind.RTSP, spec)


def _looks_like_an_image(path: Path) -> bool:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        raise Invalid("The source cannot be read: check that it is a file that you may read.") from None
    return start.startswith(_IMAGE_STARTS) or start[8:12] in (b"WEBP", b"avif")
