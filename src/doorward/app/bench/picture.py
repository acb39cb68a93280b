"""Draws time against the number of people: an SVG written by hand, both axes logarithmic."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from doorward.app.bench.contenders import FAISS, NUMPY, OURS, PREPARED, USEARCH

WIDTH, HEIGHT = 900, 560
LEFT, RIGHT, TOP, BOTTOM = 80, 210, 70, 70
INK, GREY, LINES = "#1d2430", "#687385", "#e3e7ed"
LOOKS: Final = {
    OURS: ("encrypted", "#b3261e"),
    PREPARED: ("encrypted, query prepared", "#e2711d"),
    NUMPY: ("NumPy, in the clear", "#1f5fbf"),
    FAISS: ("FAISS flat, in the clear", "#157f3d"),
    USEARCH: ("usearch, in the clear", "#6b4fb3"),
}
LEAST_APART = 17  # of two labels
Point = tuple[float, float]


def draw(found: Mapping[str, Any]) -> str:
    """The picture of what was measured: the best turn of each, which whatever else runs disturbs least."""
    lines = {
        name: [(town["people"], town["ms"][name]["best"]) for town in found["towns"]]
        for name in LOOKS
        if all(name in town["ms"] for town in found["towns"])
    }
    xs = _decades([people for line in lines.values() for people, _ in line])
    ys = _decades([ms for line in lines.values() for _, ms in line])
    parts = [*_frame(xs, ys), *_titles(found)]
    ends = []
    for name, line in lines.items():
        words, colour = LOOKS[name]
        points = [(_across(people, xs), _up(ms, ys)) for people, ms in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        ends.append((points[-1], words, colour))
    return _svg([*parts, *_labels(ends)])


def _frame(xs: range, ys: range) -> list[str]:
    parts = []
    for power in xs:
        x = _across(10**power, xs)
        parts.append(_line((x, TOP), (x, HEIGHT - BOTTOM), LINES))
        parts.append(_text((x, HEIGHT - BOTTOM + 22), f"{10**power:,}", GREY, "middle"))
    for power in ys:
        y = _up(10.0**power, ys)
        parts.append(_line((LEFT, y), (WIDTH - RIGHT, y), LINES))
        parts.append(_text((LEFT - 10, y + 5), f"{10.0**power:g} ms", GREY, "end"))
    return [*parts, _text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 20), "people searched", INK, "middle")]


def _titles(found: Mapping[str, Any]) -> list[str]:
    machine = found["machine"]
    title = f"Finding one face, {found['length']} numbers a template, {found['threads']} threads"
    under = (
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.0f}; "
        f"best of {found['rounds']} turns each, in turn"
    )
    return [_text((LEFT, 30), title, INK, "start", 18), _text((LEFT, 52), under, GREY, "start")]


def _labels(ends: Sequence[tuple[Point, str, str]]) -> list[str]:
    """Each beside the end of its line, pushed down where two would meet."""
    parts, lowest = [], 0.0
    for (x, y), words, colour in sorted(ends, key=lambda end: end[0][1]):
        lowest = max(y + 5, lowest + LEAST_APART)
        parts.append(_text((x + 12, lowest), words, colour, "start"))
    return parts


def _decades(values: Sequence[float]) -> range:
    return range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) - 1e-9) + 1)


def _across(people: float, xs: range) -> float:
    return _between(people, xs, LEFT, WIDTH - RIGHT)


def _up(ms: float, ys: range) -> float:
    return _between(ms, ys, HEIGHT - BOTTOM, TOP)


def _between(value: float, powers: range, start: float, end: float) -> float:
    reach = max(len(powers) - 1, 1)
    return start + (math.log10(value) - powers[0]) / reach * (end - start)


def _line(start: Point, end: Point, colour: str) -> str:
    return f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" stroke="{colour}"/>'


def _text(at: Point, words: str, colour: str, anchor: str, size: int = 13) -> str:
    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {place}>{escape(words)}</text>"


def _svg(parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    return "\n".join([head, paper, *parts, "</svg>"]) + "\n"
