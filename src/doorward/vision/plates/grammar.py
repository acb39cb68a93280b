"""How plates are written, region by region: which character may stand where, and how usual each format is."""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from doorward.core.errors import Invalid
from doorward.vision.plates import countries
from doorward.vision.plates.model import Region

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SPECIAL_SIGNS = "学警港澳挂使领"
LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset("0123456789")
EITHER = LETTERS | DIGITS
_CN_LETTERS = LETTERS - {"I", "O"}
SETS = {
    "P": frozenset(PROVINCES),
    "M": _CN_LETTERS,
    "O": frozenset("O"),  # official cars in China, in the second place
    "C": _CN_LETTERS | DIGITS,
    "N": frozenset("ABCDEFGHJK"),  # new-energy marks
    "T": frozenset(SPECIAL_SIGNS),
    "L": LETTERS,
    "K": LETTERS - set("AEIOUQ"),
    "W": frozenset("BDFGHJKLNPRSTVXZ"),
    "D": DIGITS,
    "A": EITHER,
}
MEANINGS = {
    "P": "a province sign",
    "M": "a letter but I and O",
    "O": "the letter O",
    "C": "a letter but I and O, or a digit",
    "N": "a new-energy mark",
    "T": "a sign of special use",
    "L": "a letter",
    "K": "a consonant but Q",  # Spain: no words
    "W": "a letter of the Dutch lists",  # neither vowels nor C, M, Q, W, Y
    "D": "a digit",
    "A": "a letter or a digit",
}
# How usual a rare format is beside a common one. Europe's lists name 150 formats for few cars.
_RARE = {Region.CN: math.log(0.3), Region.US: math.log(0.3), Region.EU: math.log(0.05)}
# Own choice of text, where a country sells it. Only a very clear read may claim it.
VANITY = -8.0
_SHORTEST, _LONGEST = 2, 10


def _formats(region: Region, common: str, rare: str = "", vanity: str = "") -> dict[str, float]:
    weights = dict.fromkeys(vanity.split(), VANITY)
    weights |= dict.fromkeys(rare.split(), _RARE.get(region, 0.0))
    return weights | dict.fromkeys(common.split(), 0.0)


_FORMATS: dict[Region, dict[str, float]] = {
    Region.CN: _formats(Region.CN, countries.CHINA_COMMON, countries.CHINA),
    Region.BR: _formats(Region.BR, countries.BRAZIL),
    Region.EU: _formats(Region.EU, countries.EUROPE_COMMON, " ".join(countries.EUROPE.values())),
    Region.US: _formats(Region.US, countries.STATES_COMMON, countries.STATES, vanity="AAAAA AAAAAA AAAAAAA"),
    Region.LATIN: _formats(Region.LATIN, "AAAA AAAAA AAAAAA AAAAAAA AAAAAAAA"),
}


@dataclass(frozen=True, slots=True)
class Grammar:
    """The patterns of one region, each a string over the keys of `SETS`."""

    region: Region
    patterns: tuple[str, ...]

    @property
    def longest(self) -> int:
        """The greatest number of characters."""
        return max(map(len, self.patterns))

    def allows(self, text: str) -> bool:
        """Whether a whole text fits a pattern."""
        return any(_fits(pattern, text) for pattern in self.patterns)

    def log_prior(self, text: str) -> float:
        """How usual the text's most usual format is, as a log-weight; minus infinity for a misfit."""
        weights = _FORMATS[self.region]
        return max((weights[one] for one in self.patterns if _fits(one, text)), default=-math.inf)


@cache
def grammar_of(region: Region) -> Grammar:
    """The grammar of a region."""
    return Grammar(region, tuple(sorted(_FORMATS[region], key=lambda one: -_FORMATS[region][one])))


def normalise(text: str, region: Region | None = None) -> str:
    """One form of a plate: upper case, letters, digits and signs only, for storing and looking up.

    `Invalid` for what no plate can be; with a region, also for what its grammar excludes.
    """
    form = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).upper()
    allowed = EITHER | frozenset(PROVINCES) | frozenset(SPECIAL_SIGNS)
    if not _SHORTEST <= len(form) <= _LONGEST or not set(form) <= allowed:
        raise Invalid("A plate has 2 to 10 letters or digits (and a province sign in China).")
    if region is None or grammar_of(region).allows(form):
        return form
    raise Invalid(f"This is no plate of the region {region.value}: check each character, 0 and O above all.")


def _fits(pattern: str, text: str) -> bool:
    return len(pattern) == len(text) and all(
        character in SETS[kind] for kind, character in zip(pattern, text, strict=True)
    )
