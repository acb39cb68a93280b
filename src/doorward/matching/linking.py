"""Makes code of a compiled object: instructions and constants side by side, right wherever they lie.

Every reference goes from one place of the code to another and is told as a distance, so that whoever runs it
has nothing to fill in: it can be a read-only file, mapped into memory. What needs anything from outside is
refused. Only what LLVM writes for our loops is known here: System V ABI, "Relocation" and "ELF-64 Object File
Format"; AMD64 supplement, section 4.4; ELF for the Arm 64-bit Architecture, section 5.7.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from doorward.core.errors import Unavailable

ALIGNED = 64
PROGBITS, SYMBOLS, RELOCATIONS = 1, 2, 4  # kinds of sections
WRITTEN, LOADED = 1, 2  # their flags
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
RELOCATION = struct.Struct("<QQq")


class Unlinkable(Unavailable):
    """A loop needs something that its code cannot hold; found while compiling, never at a gate."""


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    kind: int
    flags: int
    content: bytes
    symbols: int  # of relocations: the section of their symbols
    target: int  # of relocations: the section that they are for

    @property
    def is_code(self) -> bool:
        """Whether it belongs into the code: instructions or constants, without tables for debuggers."""
        return bool(self.flags & LOADED and self.content) and self.name != ".eh_frame"


def linked(compiled: bytes) -> tuple[bytes, dict[str, int]]:
    """The code of an ELF object, and where each symbol of it begins."""
    machine, sections = _sections(compiled)
    code, starts = bytearray(), dict[int, int]()
    for index, section in enumerate(sections):
        if not section.is_code:
            continue
        if section.kind != PROGBITS or section.flags & WRITTEN:
            raise Unlinkable(f"A loop holds data that change ({section.name}).")
        code += bytes(-len(code) % ALIGNED)
        starts[index] = len(code)
        code += section.content
    symbols = _symbols(sections, starts)
    for section in sections:
        if section.kind == RELOCATIONS and section.target in starts:
            for offset, info, addend in RELOCATION.iter_unpack(section.content):
                name, found = symbols[info >> 32]
                if found is None:
                    raise Unlinkable(f"A loop needs {name}, which is not part of it.")
                _fill(code, machine, info & 0xFFFFFFFF, starts[section.target] + offset, found + addend)
    return bytes(code), {name: place for name, place in symbols if place is not None}


def _sections(compiled: bytes) -> tuple[int, list[_Section]]:
    header = HEADER.unpack_from(compiled)
    machine, table, count, names_at = header[2], header[6], header[12], header[13]
    raw = [SECTION.unpack_from(compiled, table + SECTION.size * index) for index in range(count)]
    names = compiled[raw[names_at][4] :]
    return machine, [
        _Section(_text(names, name), kind, flags, compiled[offset : offset + size], link, target)
        for name, kind, flags, _, offset, size, link, target, *_ in raw
    ]


def _symbols(sections: list[_Section], starts: dict[int, int]) -> list[tuple[str, int | None]]:
    """Name and place of each, in order; no place if it is not part of the code."""
    (table,) = [section for section in sections if section.kind == SYMBOLS]
    names = sections[table.symbols].content
    return [
        (_text(names, name), starts[home] + value if home in starts else None)
        for name, _, _, home, value, _ in SYMBOL.iter_unpack(table.content)
    ]


def _text(names: bytes, start: int) -> str:
    return names[start : names.index(0, start)].decode()


def _distance(_: int, to: int, at: int) -> int:
    return _signed(to - at, 32)


def _page(word: int, to: int, at: int) -> int:
    pages = _signed((to >> 12) - (at >> 12), 21)
    return word | (pages & 3) << 29 | (pages >> 2) << 5


def _in_page(scale: int) -> Callable[[int, int, int], int]:
    def filled(word: int, to: int, _: int) -> int:
        return word | (to & 0xFFF) >> scale << 10

    return filled


def _call(word: int, to: int, at: int) -> int:
    return word | _signed((to - at) >> 2, 26)


FILLINGS: Final[dict[tuple[int, int], Callable[[int, int, int], int]]] = {
    (62, 2): _distance,  # x86-64: R_X86_64_PC32
    (62, 4): _distance,  # R_X86_64_PLT32
    (183, 275): _page,  # Arm, 64 bits: R_AARCH64_ADR_PREL_PG_HI21
    (183, 277): _in_page(0),  # R_AARCH64_ADD_ABS_LO12_NC
    (183, 278): _in_page(0),  # R_AARCH64_LDST8_ABS_LO12_NC
    (183, 282): _call,  # R_AARCH64_JUMP26
    (183, 283): _call,  # R_AARCH64_CALL26
    (183, 284): _in_page(1),  # R_AARCH64_LDST16_ABS_LO12_NC
    (183, 285): _in_page(2),  # R_AARCH64_LDST32_ABS_LO12_NC
    (183, 286): _in_page(3),  # R_AARCH64_LDST64_ABS_LO12_NC
    (183, 299): _in_page(4),  # R_AARCH64_LDST128_ABS_LO12_NC
}
"""By machine and kind of reference: the 32-bit word that refers to a place, filled in."""


def _fill(code: bytearray, machine: int, kind: int, at: int, to: int) -> None:
    filling = FILLINGS.get((machine, kind))
    if filling is None:
        raise Unlinkable(f"A loop has a reference of kind {kind} on machine {machine}, which is not known.")
    (word,) = struct.unpack_from("<I", code, at)
    struct.pack_into("<I", code, at, filling(word, to, at))


def _signed(number: int, bits: int) -> int:
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise Unlinkable("A loop refers to a place that is too far away.")
    return number & (1 << bits) - 1
