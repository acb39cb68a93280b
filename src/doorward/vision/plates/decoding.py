"""From a recogniser's character probabilities to candidates: a CTC beam that keeps to the grammar."""

import math

import numpy as np
from numpy.typing import NDArray

from doorward.vision.plates.grammar import Grammar
from doorward.vision.plates.model import PlateCandidate

WIDTH = 10
TOP = 8
NEVER = -1e9
SURELY_BLANK = -0.005
Scores = NDArray[np.float64]
Beam = dict[str, tuple[float, float]]


def decode(log_probabilities: Scores, characters: list[str], grammar: Grammar) -> list[PlateCandidate]:
    """Candidates that fit the grammar, best first, their probabilities summing to one.

    `log_probabilities` is (steps, 1 + len(characters)) with the blank first (Graves et al., ICML 2006).
    """
    index = {character: place + 1 for place, character in enumerate(characters)}
    beam: Beam = {"": (0.0, NEVER)}
    for step in log_probabilities:
        beam = _step(beam, step, characters, grammar)
    whole = {text: _both(pair) for text, pair in beam.items() if grammar.allows(text)}
    if not whole:
        return []
    best = max(whole.values())
    total = math.fsum(math.exp(score - best) for score in whole.values())
    ranked = sorted(whole.items(), key=lambda item: -item[1])[:5]
    return [
        PlateCandidate(
            text, math.exp(score - best) / total, confidences(log_probabilities, [index[c] for c in text])
        )
        for text, score in ranked
    ]


def confidences(log_probabilities: Scores, sequence: list[int]) -> tuple[float, ...]:
    """Each character's highest probability on the best alignment (Viterbi) of the sequence."""
    states = [0]
    for symbol in sequence:
        states += [symbol, 0]
    path = _align(log_probabilities, states)
    best = [0.0] * len(sequence)
    for step, state in enumerate(path):
        if state % 2:
            place = state // 2
            best[place] = max(best[place], math.exp(log_probabilities[step, states[state]]))
    return tuple(best)


def _step(beam: Beam, step: Scores, characters: list[str], grammar: Grammar) -> Beam:
    if step[0] > SURELY_BLANK:
        return {text: (_both(pair) + float(step[0]), NEVER) for text, pair in beam.items()}
    top = [int(place) for place in np.argsort(step)[::-1][:TOP] if place]
    grown: Beam = {}
    for text, (blank, symbol) in beam.items():
        either = _both((blank, symbol))
        _add(grown, text, either + float(step[0]), NEVER)
        last = text[-1:] and characters.index(text[-1]) + 1
        if last:
            _add(grown, text, NEVER, symbol + float(step[last]))
        allowed = grammar.may_follow(text)
        for place in top:
            if characters[place - 1] in allowed:
                before = blank if place == last else either
                _add(grown, text + characters[place - 1], NEVER, before + float(step[place]))
    kept = sorted(grown.items(), key=lambda item: -_both(item[1]))[:WIDTH]
    return dict(kept)


def _add(beam: Beam, text: str, blank: float, symbol: float) -> None:
    old_blank, old_symbol = beam.get(text, (NEVER, NEVER))
    beam[text] = (_sum(old_blank, blank), _sum(old_symbol, symbol))


def _both(pair: tuple[float, float]) -> float:
    return _sum(*pair)


def _sum(a: float, b: float) -> float:
    high, low = (a, b) if a > b else (b, a)
    return high + math.log1p(math.exp(low - high)) if low > NEVER / 2 else high


def _align(log_probabilities: Scores, states: list[int]) -> list[int]:
    steps, count = len(log_probabilities), len(states)
    skips = [s >= 2 and states[s] != 0 and states[s] != states[s - 2] for s in range(count)]
    score = np.full(count, NEVER)
    score[: min(2, count)] = log_probabilities[0, states[: min(2, count)]]
    back = np.zeros((steps, count), np.int8)
    for step in range(1, steps):
        moves = np.stack([score, np.roll(score, 1), np.roll(score, 2)])
        moves[1, :1] = moves[2, :2] = NEVER
        moves[2, [not skip for skip in skips]] = NEVER
        back[step] = np.argmax(moves, axis=0)
        score = moves.max(axis=0) + log_probabilities[step, states]
    state = count - 1 if count == 1 or score[-1] >= score[-2] else count - 2
    path = [state]
    for step in range(steps - 1, 0, -1):
        state -= int(back[step, state])
        path.append(state)
    return path[::-1]
