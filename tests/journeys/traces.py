"""The ways in which something personal may lie on a disk."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

WINDOW = 24


def of_word(word: str) -> Iterator[bytes]:
    """A name, number, plate or code: raw, UTF-16, hexadecimal, base 64, and as JSON and URLs write it."""
    bare = "".join(c for c in word if c.isalnum())
    for text in {word, word.upper(), word.lower(), word.casefold(), bare}:
        raw = text.encode()
        yield from (raw, text.encode("utf-16-le"), text.encode("utf-16-be"))
        yield from (quote(text).encode(), json.dumps(text)[1:-1].encode(), raw[::-1])
        yield from _as_hex(raw)
        yield from _as_base64(raw)


def of_bytes(content: bytes) -> Iterator[bytes]:
    """A picture or other bytes, by short stretches from its beginning, middle and end."""
    for at in (len(content) // 5, len(content) // 2, len(content) - 3 * WINDOW):
        window = content[at : at + WINDOW]
        yield window
        yield from _as_hex(window)
        yield from _as_base64(window)


def of_template(template: NDArray[np.float32]) -> Iterator[bytes]:
    """A face template as floats of any width and byte order, as text, or as bytes per number."""
    for kind in ("<f4", ">f4", "<f8", ">f8", "<f2"):
        yield from of_bytes(template.astype(kind).tobytes())
    for least, most in ((-1.0, 1.0), (float(template.min()), float(template.max()))):
        scaled = (template - least) / (most - least) * 255
        yield from of_bytes(scaled.round().astype(np.uint8).tobytes())
    yield from (json.dumps([float(v)]).encode()[1:-1] for v in template[:4])


def _as_hex(raw: bytes) -> tuple[bytes, bytes]:
    return raw.hex().encode(), raw.hex().upper().encode()


def _as_base64(raw: bytes) -> Iterator[bytes]:
    """Inside other bytes base 64 starts at one of three places; the middle is the same anyway."""
    for shift in range(3):
        inside = base64.b64encode(bytes(shift) + raw)[4:-4]
        if len(inside) >= 8:
            yield from {inside, inside.replace(b"+", b"-").replace(b"/", b"_")}
