"""The one way in: a spec becomes a running source."""

import math
from pathlib import Path

from doorward.core.errors import Invalid, Unavailable
from doorward.vision.sources.frame import Source
from doorward.vision.sources.spec import SourceKind, parse_source
from doorward.vision.sources.stills import Stills, images_in
from doorward.vision.sources.video import Patience, Video
from doorward.vision.sources.wire import Order

DEFAULT_PATIENCE = Patience(stall_seconds=10.0, give_up_seconds=60.0)


def open_source(
    spec: str,
    *,
    frames_per_second: float | None,
    longest_side: int = 1280,
    real_time: bool = False,
    patience: Patience = DEFAULT_PATIENCE,
) -> Source:
    """Frames of an image, a folder of images (by name), a video file, `rtsp://...` or `camera:0`.

    `frames_per_second` chooses a rate (None: every frame); frames come at most `longest_side` pixels long.
    A live source, or a file played in `real_time`, drops its oldest frames when its consumer is slower.
    Iteration raises `Invalid` if it is no picture and `Unavailable` if it stops or stalls.
    """
    if frames_per_second is not None and not (math.isfinite(frames_per_second) and frames_per_second > 0):
        raise Invalid("The frame rate must be more than zero frames a second.")
    target = parse_source(spec)
    if target.kind is SourceKind.IMAGE:
        return Stills([Path(target.where)], frames_per_second, longest_side, one_by_name=True)
    if target.kind is SourceKind.FOLDER:
        return Stills(images_in(Path(target.where)), frames_per_second, longest_side, one_by_name=False)
    if target.kind is SourceKind.CAMERA and not Path(target.where).exists():
        raise Unavailable("There is no such camera on this machine: check that it is plugged in.")
    order = Order(
        kind=target.kind.value,
        where=target.where,
        frames_per_second=frames_per_second,
        longest_side=longest_side,
        real_time=real_time,
        stall_seconds=patience.stall_seconds,
    )
    return Video(order, is_live=target.is_live, patience=patience)
