"""Whether the encrypted search finds whom a search in the clear finds, on real photos.

Whoever has four photos or more is enrolled by the mean of three drawn at random, in a block filled up with
random directions, so that errors are those of a full one; the filling lives in neither gallery. Everybody
else comes as a stranger. Each search has its own cut, that which one stranger in a hundred reaches.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks._face_open_set import PROTOCOLS, _drawn
from benchmarks._face_photos import Photos
from benchmarks._face_statistics import spread
from benchmarks._figures import Figure, tell
from doorward.matching.blocks import Mask, seal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.parameters import BLOCK_SIZE
from doorward.matching.queries import Asker
from doorward.matching.randomness import fresh_seed
from doorward.matching.rotation import asked, stored

SPLITS = 20
FALSE_POSITIVES = 0.01
LIMIT = 0.001
Templates = NDArray[np.float32]
Found = tuple[NDArray[np.intp], NDArray[np.float64]]
"""Whom each came nearest to, and how near."""


@dataclass(slots=True)
class Tally:
    """A row a split."""

    clear: list[float] = field(default_factory=list)
    encrypted: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    of: int = 0
    other_verdicts: int = 0
    other_people: int = 0


def report_identification(photos: Photos) -> None:
    """The share of visits not found where 1 % of strangers are, encrypted and in the clear."""
    chance, tally = np.random.default_rng(30136), Tally()
    for _ in range(SPLITS):
        _one_split(photos, chance, tally)
    print(f"Identification, {SPLITS} splits, {tally.of} visits of the enrolled; cuts where FPIR is 1 %:")
    for name, shares in (("in the clear", tally.clear), ("encrypted", tally.encrypted)):
        low, high = spread(shares)
        print(f"  FNIR {name:14} {np.mean(shares):8.3%}  (95 % of splits: {low:.3%} to {high:.3%})")
    print(f"  visits told otherwise: {tally.other_verdicts}; nearest person another: {tally.other_people}")
    apart = float(np.mean(tally.apart))
    reach = 1.96 * float(np.std(tally.apart, ddof=1)) / SPLITS**0.5
    tell(
        Figure(
            "FNIR at FPIR 1 %, encrypted less in the clear",
            f"{apart:+.3%} (95 %: {apart - reach:+.3%} to {apart + reach:+.3%})",
            "0.1 % either way",
            abs(apart) <= LIMIT,
        )
    )


def _one_split(photos: Photos, chance: np.random.Generator, tally: Tally) -> None:
    owners, means, visits, strangers = _drawn(photos, PROTOCOLS[0], chance)
    came = photos.templates[np.concatenate([visits, strangers])]
    right = owners[:, None] == photos.people[visits][None]
    verdicts = []
    for nearest, scores in (_in_the_clear(means, came), _encrypted(means, came, chance)):
        known, foreign = scores[: len(visits)], scores[len(visits) :]
        cut = np.quantile(foreign, 1 - FALSE_POSITIVES, method="higher")
        own = right[nearest[: len(visits)], np.arange(len(visits))]
        verdicts.append((own & (known > cut), nearest[: len(visits)]))
    (clear, ours), (encrypted, theirs) = verdicts
    tally.clear.append(1 - clear.mean())
    tally.encrypted.append(1 - encrypted.mean())
    tally.apart.append(float(clear.mean() - encrypted.mean()))
    tally.of += len(visits)
    tally.other_verdicts += int((clear != encrypted).sum())
    tally.other_people += int((ours != theirs).sum())


def _in_the_clear(means: Templates, came: Templates) -> Found:
    scores = came @ means.T
    return scores.argmax(1), scores.max(1).astype(np.float64)


def _encrypted(means: Templates, came: Templates, chance: np.random.Generator) -> Found:
    site, mask = fresh_seed(), Mask.fresh(means.shape[1])
    filling = chance.standard_normal((BLOCK_SIZE - len(means), means.shape[1]), dtype=np.float32)
    filling /= np.linalg.norm(filling, axis=1, keepdims=True)
    block, secret = seal(stored(np.concatenate([means, filling]), site), mask)
    keys, shelf, asker = ShelfKeys(mask), Shelf([block]), Asker(means.shape[1])
    keys.put(0, secret, block, None)
    keys.set_living(0, np.arange(BLOCK_SIZE) < len(means))
    found = []
    for face in came:
        key = asker.ask(asked(face, site))
        answer = shelf.answer(key.query)
        keys.check(key, answer)
        nearest = keys.nearest(key, answer)
        assert nearest is not None
        found.append((nearest.slot, nearest.score))
    slots, scores = zip(*found, strict=True)
    return np.array(slots, np.intp), np.array(scores)
