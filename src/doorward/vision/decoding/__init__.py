"""Strangers' image bytes in, pixels out; the parsing happens in a limited, killable process."""

from doorward.vision.decoding.cage import missing_walls
from doorward.vision.decoding.decoder import Decoder, close_default, decode_image, load_image

__all__ = ["Decoder", "close_default", "decode_image", "load_image", "missing_walls"]
