"""From several readings of one plate to candidates: CTC search within the grammar, then one joint vote.

Method. Each reading proposes texts by CTC prefix search (Graves et al., ICML 2006) among those the grammar
allows; then every reading weighs every proposal by its exact CTC probability. A reading that shows something
else, a slogan or half the plate, must not veto: its log-probability counts down to `FLOOR` and no further.
Sum of the log-probabilities plus the format's log-prior decides.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from doorward.vision.plates.grammar import SETS, Grammar
from doorward.vision.plates.lookalikes import TWINS
from doorward.vision.plates.model import PlateCandidate
from doorward.vision.plates.recogniser import Reading, Scores

WIDTH, TOP, PROPOSALS = 10, 6, 4
NEVER = -1e9
SURELY_BLANK = -0.003
HOPELESS = -9.0
FLOOR = -14.0
# Readings of one plate are no independent witnesses: together they count as much as this many.
WITNESSES = 1.5
MOST_CANDIDATES = 5
_NEGLIGIBLE = 40.0
CLEAR_SHARE, CLEAR_CHARACTER, CLEAR_AGREEMENT = 0.95, 0.9, -0.7

# Of each prefix: log-probability ending in a blank, ending in its last character; live patterns (bits).
_Beam = dict[str, tuple[float, float, int]]


def candidates(readings: Sequence[Reading], grammar: Grammar) -> tuple[PlateCandidate, ...]:
    """What the readings of one plate say together, best first; probabilities are shares of all proposals."""
    proposals = sorted({text for one in readings for text in _proposed(one, grammar)})
    if not proposals:
        return ()
    votes = np.stack([log_likelihoods(one.weighed, proposals, one.characters) for one in readings])
    total = np.logaddexp(votes, FLOOR).sum(0) * min(1.0, WITNESSES / len(readings))
    total = total + np.array([grammar.log_prior(text) for text in proposals])
    shares = np.exp(total - total.max())
    shares /= shares.sum()
    best = np.argsort(-shares, kind="stable")[:MOST_CANDIDATES]
    return tuple(
        PlateCandidate(
            proposals[place], float(shares[place]), _confidences(readings, votes[:, place], proposals[place])
        )
        for place in best
    )


def log_likelihoods(scores: Scores, texts: Sequence[str], characters: str) -> NDArray[np.float64]:
    """The exact CTC log-probability of each text (forward algorithm, all texts and states at once)."""
    states = _states(texts, characters)
    skips = np.zeros(states.shape, bool)
    skips[:, 2:] = (states[:, 2:] != 0) & (states[:, 2:] != states[:, :-2])
    alpha = np.full(states.shape, NEVER)
    alpha[:, :2] = scores[0][states[:, :2]]
    for step in scores[1:]:
        grown = alpha.copy()
        grown[:, 1:] = np.logaddexp(grown[:, 1:], alpha[:, :-1])
        grown[:, 2:] = np.where(skips[:, 2:], np.logaddexp(grown[:, 2:], alpha[:, :-2]), grown[:, 2:])
        alpha = grown + step[states]
    rows, last = np.arange(len(texts)), np.array([2 * len(text) for text in texts])
    return np.asarray(np.logaddexp(alpha[rows, last], alpha[rows, last - 1]))


def agreement(readings: Sequence[Reading], text: str) -> float:
    """How far the looks say this text of their own accord, a log-share; 0 where the grammar changed nothing.

    The median look counts: one blurred look proves nothing, and neither does one lucky one.
    """
    fits = [
        float(log_likelihoods(one.weighed, [text], one.characters)[0] - one.weighed.max(1).sum())
        for one in readings
    ]
    return min(0.0, float(np.median(fits)))


def is_clear(seen: Sequence[PlateCandidate], readings: Sequence[Reading]) -> bool:
    """Whether further looks at the same plate could hardly change the answer."""
    if not seen:
        return False
    best = seen[0]
    return (
        best.probability >= CLEAR_SHARE
        and best.minimum_confidence >= CLEAR_CHARACTER
        and agreement(readings, best.text) >= CLEAR_AGREEMENT
    )


def search(scores: Scores, characters: str, grammar: Grammar) -> dict[str, float]:
    """Whole texts that the grammar allows with their log-probabilities, by prefix search."""
    allowed, ends = _bits(grammar, characters)
    places = {character: number for number, character in enumerate(characters, start=1)}
    beam: _Beam = {"": (0.0, NEVER, (1 << len(grammar.patterns)) - 1)}
    for step in scores:
        told = step.tolist()
        if told[0] > SURELY_BLANK:
            beam = {text: (_sum(a, b) + told[0], NEVER, live) for text, (a, b, live) in beam.items()}
            continue
        likely = [int(n) for n in np.argpartition(step, -TOP)[-TOP:] if n and told[n] > HOPELESS]
        beam = _step(beam, told, [(n, characters[n - 1]) for n in likely], allowed, places)
    return {
        text: _sum(blank, ending)
        for text, (blank, ending, live) in beam.items()
        if len(text) < len(ends) and live & ends[len(text)]
    }


def _proposed(reading: Reading, grammar: Grammar) -> list[str]:
    found = search(reading.weighed, reading.characters, grammar)
    return sorted((text for text in found if text), key=lambda text: -found[text])[:PROPOSALS]


def _step(
    beam: _Beam,
    told: list[float],
    likely: list[tuple[int, str]],
    allowed: list[dict[str, int]],
    places: dict[str, int],
) -> _Beam:
    grown: _Beam = {}
    for text, (blank, ending, live) in beam.items():
        either, last = _sum(blank, ending), text[-1:]
        _add(grown, text, (either + told[0], ending + told[places[last]] if last else NEVER, live))
        if len(text) >= len(allowed):
            continue
        for number, character in likely:
            still = live & allowed[len(text)].get(character, 0)
            if still:
                before = blank if character == last else either
                _add(grown, text + character, (NEVER, before + told[number], still))
    kept = sorted(grown.items(), key=lambda item: -_sum(item[1][0], item[1][1]))[:WIDTH]
    return dict(kept)


def _add(beam: _Beam, text: str, more: tuple[float, float, int]) -> None:
    had = beam.get(text)
    beam[text] = more if had is None else (_sum(had[0], more[0]), _sum(had[1], more[1]), more[2])


def _sum(one: float, other: float) -> float:
    """log(exp(one) + exp(other))."""
    high, low = (one, other) if one > other else (other, one)
    return high + math.log1p(math.exp(low - high)) if high - low < _NEGLIGIBLE else high


@cache
def _bits(grammar: Grammar, characters: str) -> tuple[list[dict[str, int]], list[int]]:
    """For each place the patterns (as bits) that allow a character there; for each length those that end."""
    longest = grammar.longest
    allowed: list[dict[str, int]] = [dict.fromkeys(characters, 0) for _ in range(longest)]
    ends = [0] * (longest + 1)
    for number, pattern in enumerate(grammar.patterns):
        ends[len(pattern)] |= 1 << number
        for place, kind in enumerate(pattern):
            for character in SETS[kind].intersection(characters):
                allowed[place][character] |= 1 << number
    return allowed, ends


def _states(texts: Sequence[str], characters: str) -> NDArray[np.intp]:
    """Each text's characters with blanks between and around; shorter texts are filled with blanks."""
    places = {character: number for number, character in enumerate(characters, start=1)}
    states = np.zeros((len(texts), 2 * max(map(len, texts)) + 1), np.intp)
    for row, text in zip(states, texts, strict=True):
        row[1 : 2 * len(text) : 2] = [places[character] for character in text]
    return states


def _confidences(readings: Sequence[Reading], votes: NDArray[np.float64], text: str) -> tuple[float, ...]:
    """Each character's confidence: the mean over the readings that saw this text at all, else the best's."""
    saw = [place for place, vote in enumerate(votes) if vote > FLOOR] or [int(votes.argmax())]
    return tuple(np.mean([confidences(readings[place], text) for place in saw], axis=0).tolist())


def confidences(reading: Reading, text: str) -> tuple[float, ...]:
    """Each character's highest probability on the text's best alignment (Viterbi).

    Twins share theirs: whether a round shape is 0 or O is the grammar's answer, not the eye's.
    """
    states = _states([text], reading.characters)[0]
    path = _best_path(reading.weighed, states)
    best = [0.0] * len(text)
    for step, state in enumerate(path):
        if state % 2:
            place = state // 2
            best[place] = max(best[place], _shown(reading, step, text[place]))
    return tuple(best)


def _shown(reading: Reading, step: int, character: str) -> float:
    shapes = {character, TWINS.get(character, character)}.intersection(reading.characters)
    columns = [reading.characters.index(shape) + 1 for shape in shapes]
    return min(1.0, float(np.exp(reading.seen[step, columns]).sum()))


def _best_path(scores: Scores, states: NDArray[np.intp]) -> list[int]:
    steps, count = len(scores), len(states)
    barred = np.ones(count, bool)
    barred[2:] = (states[2:] == 0) | (states[2:] == states[:-2])
    score = np.full(count, NEVER)
    score[:2] = scores[0][states[:2]]
    back = np.zeros((steps, count), np.int8)
    for step in range(1, steps):
        moves = np.full((3, count), NEVER)
        moves[0], moves[1, 1:], moves[2, 2:] = score, score[:-1], score[:-2]
        moves[2, barred] = NEVER
        back[step] = moves.argmax(0)
        score = moves.max(0) + scores[step][states]
    state = count - 1 if score[-1] >= score[-2] else count - 2
    path = [state]
    for step in range(steps - 1, 0, -1):
        state -= int(back[step, state])
        path.append(state)
    return path[::-1]
