"""The caged side: reads image bytes from standard input, answers with pixels; ends when its parent does."""

import io
import os
import resource
import sys
import warnings
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, ImageOps

from doorward.vision.decoding import cage
from doorward.vision.decoding.wire import ANSWER, MAX_BYTES, MAX_PIXELS, REQUEST, Reason

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "GIF", "PPM", "MPO")
LIMITS = cage.Limits(
    address_space_bytes=1536 * cage.MEBIBYTE, cpu_seconds=120, open_files=16, may_start_threads=False
)
CPU_SECONDS_AN_IMAGE = 10
RETIRE_AFTER_CPU_SECONDS = 60

Pixels = NDArray[np.uint8]


def decode(data: bytes, longest_side: int) -> Pixels | Reason:
    """BGR pixels, upright, at most `longest_side` long; or why not."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except MemoryError:
        return Reason.TOO_MUCH_MEMORY
    except Exception:  # a parser fails in as many ways as it has authors; none may end the worker
        return Reason.NOT_AN_IMAGE
    with picture:
        try:
            return _pixels(picture, longest_side)
        except MemoryError:
            return Reason.TOO_MUCH_MEMORY
        except Exception:  # as above
            return Reason.DAMAGED


def _pixels(picture: Image.Image, longest_side: int) -> Pixels | Reason:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        return Reason.TOO_MANY_PIXELS
    # JPEG can be decoded at a half, quarter or eighth, which saves most of the work and memory.
    picture.draft("RGB", (longest_side, longest_side))
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    colour = _opaque(upright)
    if max(colour.size) > longest_side:
        colour.thumbnail((longest_side, longest_side), Image.Resampling.BOX)
    return np.ascontiguousarray(np.asarray(colour)[:, :, ::-1])


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        return _eight_bits(picture)
    if picture.has_transparency_data:
        coloured = picture.convert("RGBA")
        paper = Image.new("RGBA", coloured.size, "white")
        return Image.alpha_composite(paper, coloured).convert("RGB")
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture)
    if values.dtype == np.uint16:
        return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")
    scale = 255.0 / 65535.0 if values.max(initial=0) > 255 else 1.0
    return Image.fromarray(np.clip(values * np.float32(scale), 0, 255).astype(np.uint8)).convert("RGB")


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _allow_one_image() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(_cpu_seconds()) + CPU_SECONDS_AN_IMAGE
    resource.setrlimit(resource.RLIMIT_CPU, (min(soft, hard), hard))


def _answer(answers: IO[bytes], result: Pixels | Reason) -> bool:
    retiring = _cpu_seconds() > RETIRE_AFTER_CPU_SECONDS
    if isinstance(result, Reason):
        answers.write(ANSWER.pack(result, retiring, 0, 0))
    else:
        height, width = result.shape[:2]
        answers.write(ANSWER.pack(Reason.DECODED, retiring, height, width))
        answers.write(result.data.cast("B"))
    answers.flush()
    return retiring


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Decode one request after the other until there are none or the processor time is used up."""
    while len(header := requests.read(REQUEST.size)) == REQUEST.size:
        length, longest_side = REQUEST.unpack(header)
        if length > MAX_BYTES:
            return
        data = requests.read(length)
        if len(data) < length:
            return
        _allow_one_image()
        if _answer(answers, decode(data, longest_side)):
            return


def main() -> int:
    """Enter the cage, then serve."""
    requests, answers = cage.own_pipes()
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # our own limit, checked on the header, is the stricter one
    # By default one thread a core, but the cage lets none start: AVIF would fail for everybody but root.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.init()
    with os.fdopen(requests, "rb") as coming, os.fdopen(answers, "wb", buffering=0) as going:
        cage.enter(LIMITS)
        serve(coming, going)
    return 0


if __name__ == "__main__":
    sys.exit(main())
