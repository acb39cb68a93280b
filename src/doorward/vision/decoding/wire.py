"""What decoder and worker say to each other; reasons are numbers: a worker can't put words into errors."""

import struct
from enum import IntEnum

REQUEST = struct.Struct("!QI")  # length of the bytes that follow, longest side wanted
ANSWER = struct.Struct("!BBII")  # reason, whether the worker retires now, height, width

MAX_BYTES = 64 << 20
MAX_PIXELS = 40_000_000


class Reason(IntEnum):
    """How one decoding ended."""

    DECODED = 0
    NOT_AN_IMAGE = 1
    DAMAGED = 2
    TOO_MANY_PIXELS = 3
    TOO_MUCH_MEMORY = 4
    EMPTY = 5
    TOO_MANY_BYTES = 6


SENTENCES = {
    Reason.NOT_AN_IMAGE: "This is not an image that can be read: use JPEG, PNG, WebP, TIFF, BMP or AVIF.",
    Reason.DAMAGED: "The image is damaged or cut short: copy or export it again.",
    Reason.TOO_MANY_PIXELS: "The image says it has more than 40 megapixels: make it smaller.",
    Reason.TOO_MUCH_MEMORY: "The image needs more memory than an image may: make it smaller.",
    Reason.EMPTY: "The image is empty: there is not one byte in it.",
    Reason.TOO_MANY_BYTES: "The image is larger than 64 MB: make it smaller.",
}
