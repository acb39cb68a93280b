"""How plates are written, country by country: which character may stand where."""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import product

from doorward.core.errors import Invalid
from doorward.vision.plates.model import Region

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset("0123456789")
EITHER = LETTERS | DIGITS
_CN_LETTERS = LETTERS - {"I", "O"}
_CN_EITHER = _CN_LETTERS | DIGITS
_SETS = {
    "P": frozenset(PROVINCES),
    "O": LETTERS - {"I"},  # the second place in China: O stands for official cars there
    "C": _CN_EITHER,
    "N": frozenset("ABCDEFGHJK"),  # new-energy marks
    "L": LETTERS,
    "D": DIGITS,
    "A": EITHER,
}

# Each pattern is a string over the sets above. Sources: GA 36-2018 (China), Resolution CONTRAN 780/2019
# (Brazil), and the national formats in use in Europe; groups that differ only by position are written out.
_EUROPEAN = (
    "LLLDDD LLDDDLL LLDDDDD LDDDDDD LLDDDLLL LDDDLLL DLLDDDD LLLDDDD LLDDDD LLLDD DDDDLLL LDDDDLL LLDDLLL "
    "DDLLDD LLDDDDL LDDLLL LLDDDL LLLDDDL LDDDDL LDDDDD LLDDDDLL LLLLDDD LLLDLDD DLLLDDD LLLDDL LDDDL LLLDL "
    "LLDDDDDD LLLDLL LDDDDLLL LLDDL LLLDDLL LLDDD LLDLLLL DDDLLL DLDDDDD DLADDDD"
)
_US = ("A" * n for n in (5, 6, 7, 8))
PATTERNS: dict[Region, tuple[str, ...]] = {
    Region.CN: ("POCCCCC", "PONCDDDD", "PODDDDDN"),
    Region.BR: ("LLLDDDD", "LLLDLDD"),
    Region.EU: tuple(dict.fromkeys(_EUROPEAN.split())),
    Region.US: tuple(_US),
    Region.LATIN: tuple("A" * n for n in range(4, 9)),
}


# The formats of the most registered cars (France, Italy, Slovakia, Serbia; Britain; Poland; Spain; Germany).
COMMON = frozenset(("LLDDDLL", "LLDDLLL", "LLLDDDD", "LLDDDDD", "DDDDLLL", "LLLDDD", "LLLDDDL"))
RARE = math.log(0.2)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The patterns of one region."""

    region: Region
    patterns: tuple[str, ...]

    @property
    def longest(self) -> int:
        """The greatest number of characters."""
        return max(map(len, self.patterns))

    def allows(self, text: str) -> bool:
        """Whether a whole text fits a pattern."""
        return any(len(p) == len(text) and _fits(p, text) for p in self.patterns)

    def log_prior(self, text: str) -> float:
        """How usual the text's format is, as a log-weight; only Europe mixes formats enough to matter."""
        if self.region is not Region.EU:
            return 0.0
        fits = (p for p in self.patterns if len(p) == len(text) and _fits(p, text))
        return 0.0 if COMMON.intersection(fits) else RARE

    def may_follow(self, prefix: str) -> frozenset[str]:
        """Characters that may come next after a prefix."""
        place = len(prefix)
        live = (p for p in self.patterns if len(p) > place and _fits(p[:place], prefix))
        return frozenset().union(*(_SETS[p[place]] for p in live))


@cache
def grammar_of(region: Region) -> Grammar:
    """The grammar of a region."""
    return Grammar(region, PATTERNS[region])


def normalise(text: str) -> str:
    """One form of a plate: upper case, letters and digits only; `Invalid` for what no plate can be."""
    form = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).upper()
    allowed = EITHER | frozenset(PROVINCES) | frozenset("学警港澳挂使领")
    if not 2 <= len(form) <= 10 or not set(form) <= allowed:
        raise Invalid("A plate has 2 to 10 letters or digits (and a province sign in China).")
    return form


def spellings(text: str, alternatives: dict[str, str]) -> list[str]:
    """Every way to write a text with some characters exchanged for their look-alikes."""
    choices = [character + alternatives.get(character, "") for character in text]
    return ["".join(chosen) for chosen in product(*choices)]


def _fits(pattern: str, text: str) -> bool:
    return all(character in _SETS[kind] for kind, character in zip(pattern, text, strict=True))
