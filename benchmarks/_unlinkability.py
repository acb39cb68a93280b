"""Whether two galleries of the same people tell that they are: the measure of ISO/IEC 30136.

D(s) and D_sys of Gomez-Barrero, Galbally, Rathgeb, Busch, "General Framework to Evaluate Unlinkability in
Biometric Template Protection Systems", IEEE TIFS 13 (2018), with equal priors: 0 where a score says nothing
about whether two records are of one person, 1 where it tells them apart without a doubt. Counted in bins that
hold as many scores each. Few scores look linkable by chance, so each figure stands beside what random numbers
give through the same attack.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._face_photos import meant
from doorward.matching.blocks import BlockSecret, Cells, Mask, _sealed_under, centred, seal, unseal
from doorward.matching.parameters import COORDINATE_SCALE, MODULUS
from doorward.matching.randomness import fresh_seed
from doorward.matching.ring import inverse
from doorward.matching.rotation import stored

BINS = 10
OTHERS = 6  # galleries of other people in the same places
CONTROLS = 60

Numbers = NDArray[np.float64]
Rows = NDArray[np.int32]
Attack = Callable[[Rows, Rows], Numbers]


@dataclass(frozen=True, slots=True)
class Linked:
    """D_sys, and what random numbers in place of galleries give: mean and standard deviation."""

    d_sys: float
    chance: float
    deviation: float

    @property
    def sigmas(self) -> float:
        """How far it is from chance."""
        return (self.d_sys - self.chance) / self.deviation

    def __str__(self) -> str:
        return f"{self.d_sys:.3f} (random numbers: {self.chance:.3f} +- {self.deviation:.3f})"


def d_sys(mated: Numbers, others: Numbers, bins: int = BINS) -> float:
    """The global measure of linkability of these scores."""
    evenly = np.concatenate([np.repeat(mated, max(1, len(others) // len(mated))), others])
    edges = np.quantile(evenly, np.linspace(0, 1, bins + 1)[1:-1])
    same = np.bincount(np.searchsorted(edges, mated), minlength=bins) / len(mated)
    other = np.bincount(np.searchsorted(edges, others), minlength=bins) / len(others)
    total = same + other
    local = np.divide(same - other, total, out=np.zeros(bins), where=total > 0)  # 2 LR / (1 + LR) - 1
    return float(np.maximum(local, 0) @ same)


def measure(attack: Attack, pairs: Iterator[tuple[Rows, Rows]], random: Callable[[], Rows]) -> Linked:
    """Of pairs of galleries the first is of the same people, place by place, and the rest of others."""
    scores = [attack(*pair) for pair in pairs]
    chance = [
        d_sys(attack(first, random()), np.concatenate([attack(first, random()) for _ in range(OTHERS)]))
        for first in (random() for _ in range(CONTROLS))
    ]
    found = d_sys(scores[0], np.concatenate(scores[1:]))
    return Linked(found, float(np.mean(chance)), float(np.std(chance, ddof=1)))


def cosine(one: Rows, other: Rows) -> Numbers:
    """Of each row with the row at its place."""
    cosines: Numbers = np.einsum("ij,ij->i", _unit(one), _unit(other))
    return cosines


def columns(one: Rows, other: Rows) -> Numbers:
    """The correlation of each coordinate with itself, over all people."""
    return cosine((one - one.mean(0)).T, (other - other.mean(0)).T)


def nearness(one: Rows, other: Rows) -> Numbers:
    """How near rows lie mod q: what a secret used twice would give away."""
    apart = (one.astype(np.int64) - other + MODULUS // 2) % MODULUS - MODULUS // 2
    far: Numbers = np.sqrt((apart.astype(np.float64) ** 2).sum(1))
    return -far


def sorted_sizes(one: Rows, other: Rows) -> Numbers:
    """How alike the sizes of a row's numbers are, wherever they stand: no rotation that permutes hides it."""
    left, right = (np.sort(np.abs(rows.astype(np.float64)), 1) for rows in (one, other))
    far: Numbers = np.sqrt(((left - right) ** 2).sum(1))
    return -far


def _unit(rows: NDArray[np.generic]) -> Numbers:
    numbers = rows.astype(np.float64)
    unit: Numbers = numbers / np.maximum(np.linalg.norm(numbers, axis=1, keepdims=True), 1e-12)
    return unit


ATTACKS: dict[str, Attack] = {
    "cosine of rows": cosine,
    "nearness of rows mod q": nearness,
    "sorted sizes of rows": sorted_sizes,
    "correlation of columns": columns,
}


@dataclass(frozen=True)
class Galleries:
    """Two photos of each of some people, in the order of `first`: float32 (people, d) each."""

    first: NDArray[np.float32]
    second: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)

    def stored_pairs(
        self, *, as_stored: bool = True, reuse_seed: bool = False
    ) -> Iterator[tuple[Rows, Rows]]:
        """Ciphertexts of both: the same site, rotation and mask, the worst case; people in the same places.

        As they lie on disk, or with the transform, which is public, undone: then a row is one person's.
        With `reuse_seed` one secret seals all of them, which `blocks.seal` cannot be made to do.
        """
        site, mask = fresh_seed(), Mask.fresh(self.first.shape[1])
        secret = BlockSecret(fresh_seed())

        def shown(templates: NDArray[np.float32]) -> Rows:
            steps = stored(templates, site)
            cells, _ = _sealed_under(secret, steps, mask) if reuse_seed else seal(steps, mask)
            return (cells if as_stored else untransformed(cells))[: len(self)]

        return self._paired(shown, shown)

    def opened_pairs(self, *, rotate: bool = True) -> Iterator[tuple[Rows, Rows]]:
        """What a thief of all keys of both galleries reads: steps under two rotations, or under none."""
        old, new = fresh_seed(), fresh_seed()

        def opened(templates: NDArray[np.float32], site: bytes) -> Rows:
            mask = Mask.fresh(templates.shape[1])
            steps = stored(templates, site) if rotate else _unturned(templates)
            return unseal(*seal(steps, mask), mask)[: len(self)]

        return self._paired(lambda rows: opened(rows, old), lambda rows: opened(rows, new))

    def random_cells(self) -> Rows:
        """As many numbers, uniform mod q, in place of a ciphertext."""
        form = (len(self), self.first.shape[1])
        return np.random.default_rng().integers(-(MODULUS // 2), MODULUS // 2 + 1, form, np.int32)

    def random_steps(self) -> Rows:
        """As many directions drawn at random, in steps."""
        rows = np.random.default_rng().standard_normal((len(self), self.first.shape[1]))
        return _unturned((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))

    def _paired(
        self,
        before: Callable[[NDArray[np.float32]], Rows],
        after: Callable[[NDArray[np.float32]], Rows],
    ) -> Iterator[tuple[Rows, Rows]]:
        one = before(self.first)
        for shift in range(OTHERS + 1):
            yield one, after(np.roll(self.second, shift * (len(self) // (OTHERS + 1)), axis=0))


def untransformed(cells: Cells) -> Rows:
    """A block with the public transform undone."""
    words = np.where(cells < 0, cells + MODULUS, cells).astype(np.uint32)
    inverse(words)
    return centred(words)


def _unturned(templates: NDArray[np.float32]) -> Rows:
    return np.rint(templates * COORDINATE_SCALE).astype(np.int32)


def photographed(folder: Path, people: int) -> Galleries:
    """Two photos of each of so many people of a folder in the layout of LFW, as our pipeline sees them."""
    first, second = [], []
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        faces = [face for photo in sorted(person.glob("*.jpg"))[:2] if (face := meant(photo)) is not None]
        if len(faces) == 2:
            first.append(faces[0].template)
            second.append(faces[1].template)
        if len(first) == people:
            break
    return Galleries(np.stack(first), np.stack(second))


def made_up(people: int, length: int, alike: float = 0.6) -> Galleries:
    """Random directions, each seen twice."""
    chance = np.random.default_rng(5)
    first, other = (chance.standard_normal((people, length)) for _ in range(2))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    other -= np.einsum("ij,ij->i", other, first)[:, None] * first
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    second = alike * first + (1 - alike**2) ** 0.5 * other
    return Galleries(first.astype(np.float32), second.astype(np.float32))
