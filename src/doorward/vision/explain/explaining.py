"""One image in, one self-contained private page out."""

import os
import tempfile
from pathlib import Path

from doorward.core.errors import Invalid, Unavailable
from doorward.vision.decoding import decode_image, load_image
from doorward.vision.explain.faces import faces_stage
from doorward.vision.explain.page import render
from doorward.vision.explain.panels import Pixels, picture
from doorward.vision.explain.plates import plates_stage
from doorward.vision.plates import Region

WIDEST = 960


def explain(image: bytes | Path, *, region: str, out: Path) -> Path:
    """Write an HTML page that shows every stage of recognition on an image, and return its path.

    `region` names the plate grammar. The page shows faces: only its owner may read it (mode 0600); it needs
    nothing from anywhere else and runs no script. `Invalid` when image or region cannot be read.
    """
    if region not in set(Region):
        raise Invalid(f"The region must be one of: {', '.join(Region)}.")
    pixels = decode_image(image) if isinstance(image, bytes) else load_image(image)
    return _write(out, explanation(pixels, region=Region(region)))


def explanation(pixels: Pixels, *, region: Region) -> str:
    """The page for an image that is already decoded (BGR)."""
    drawing = pixels.copy()
    stages = (faces_stage(pixels, drawing), plates_stage(pixels, drawing, region))
    height, width = pixels.shape[:2]
    overview = picture(f"The picture, {width} x {height} pixels", drawing, width=min(width, WIDEST))
    return render(overview, stages, region=region.value)


def _write(out: Path, page: str) -> Path:
    """Private from its first byte, and whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=".explain-")
    except OSError as error:
        raise Unavailable("The page cannot be written: choose a folder that you may write to.") from error
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        unfinished.replace(out)
    except OSError as error:
        raise Unavailable("The page cannot be written: free some space or choose another folder.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return out
