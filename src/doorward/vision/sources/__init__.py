"""Frames from whatever a user points at: an image, a folder, a video file, an RTSP or a local camera."""

from doorward.vision.sources.frame import Frame, Source, SourceStatistics
from doorward.vision.sources.opening import open_source
from doorward.vision.sources.spec import SourceKind, parse_source
from doorward.vision.sources.video import Patience

__all__ = [
    "Frame",
    "Patience",
    "Source",
    "SourceKind",
    "SourceStatistics",
    "open_source",
    "parse_source",
]
