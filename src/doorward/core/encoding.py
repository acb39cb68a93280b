"""One way to turn facts into bytes, so that a hash or a signature means the same everywhere."""

import base64
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; NaN and infinities are refused with `ValueError`."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def to_text(raw: bytes) -> str:
    """Bytes as URL-safe base 64 without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes behind `to_text`; `ValueError` if the text is not of that form."""
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if to_text(raw) != text:  # padded, of the other alphabet, or with bits that are lost
        raise ValueError("not URL-safe base 64 without padding")
    return raw
