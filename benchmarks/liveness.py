"""What the challenge refuses and what it lets pass: pictures and heads simulated from real faces."""

import collections
import functools
import hashlib
import itertools
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks._blinks import CASES, SHUT_PHOTOS, Shown, blinking
from benchmarks._presentations import Image, bent, flat, flexed, head, shaken, with_eyes_of
from doorward.vision.decoding import load_image
from doorward.vision.faces import observe
from doorward.vision.liveness import Challenge, ChallengeDetector, Failed, Passed, Step, cues
from doorward.vision.liveness.blink import CLOSED, LEAST_LIKENESS, LEAST_PRESENCE
from doorward.vision.liveness.parallax import narrowing, nose_parallax
from doorward.vision.liveness.turn import FRONTAL_DEGREES, LEAST_NARROWING, LEAST_PARALLAX
from doorward.vision.model import FaceObservation

PEOPLE = 40
RATE = 10.0
BOTH = (Step.TURN_LEFT, Step.TURN_RIGHT)
CALM = [0.0] * 7
HEAD_SWEEP = [0, 10, 20, 28, 34, 38, 42, 45, 45, 36, 20, 8, 0]
PICTURE_SWEEP = [0, 10, 20, 28, 34, 38, 42, 46, 50, 54, 58, 62, 66, 62, 56, 48, 36, 20, 8, 0]


@dataclass(frozen=True)
class Person:
    """One photo (twice its size) with the face in it, and the start of its file's SHA-256."""

    photo: Image
    face: FaceObservation
    digest: str


def wilson(hits: int, trials: int) -> str:
    """A share with its 95 % Wilson interval, in percent."""
    if not trials:
        return "no trials"
    z, share = 1.96, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return f"{100 * share:5.1f} % ({hits}/{trials}; {100 * low:.1f} to {100 * high:.1f})"


def people(folder: Path) -> Iterator[tuple[str, Person]]:
    """Everybody's photos, twice their size, with the largest face."""
    for path in sorted(folder.glob("*/*.jpg")):
        photo = cv2.resize(load_image(path), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        for face in observe(photo, largest_only=True):
            yield path.parent.name, Person(photo, face, hashlib.sha256(path.read_bytes()).hexdigest()[:8])


def track(frames: Iterable[Image], face: FaceObservation) -> list[tuple[Image, FaceObservation | None]]:
    """The frames with the face in each that is nearest to where it was before."""
    place, seen = face.detection.landmarks.mean(axis=0), []
    for frame in frames:
        found = observe(frame)
        away = [float(np.hypot(*(one.detection.landmarks.mean(axis=0) - place))) for one in found]
        near = found[int(np.argmin(away))] if found else None
        place = place if near is None else near.detection.landmarks.mean(axis=0)
        seen.append((frame, near))
    return seen


def verdict(seen: list[tuple[Image, FaceObservation | None]], steps: tuple[Step, ...]) -> str:
    """How a challenge of these steps ends on a track."""
    detector = ChallengeDetector(Challenge(steps))
    outcome = [detector.see(frame, face, number / RATE) for number, (frame, face) in enumerate(seen)][-1]
    if isinstance(outcome, Failed):
        return outcome.failure.value
    return "passed" if isinstance(outcome, Passed) else "pending"


def sweep(draw: Callable[[float], Image], angles: list[float]) -> Iterator[Image]:
    """Straight ahead, then to the left and back, then to the right and back."""
    course = [*CALM, *angles, *(-angle for angle in angles)]
    drawn = {angle: draw(angle) for angle in set(course)}
    yield from (drawn[angle] for angle in course)


def turns(chosen: list[Person], wanted: list[str]) -> None:
    """Heads and pictures turned to both sides; all, or those whose names hold a wanted word."""
    cases: dict[str, Callable[[Person, float], Image]] = {
        "picture turned to 66 degrees, near": lambda one, yaw: flat(one.photo, -yaw, distance=2.5),
        "picture turned to 66 degrees, far": lambda one, yaw: flat(one.photo, -yaw, distance=5),
        "picture turned and tilted by 25 degrees": lambda one, yaw: flat(one.photo, -yaw, pitch=25),
        "picture bent (radius 2), turned": lambda one, yaw: bent(one.photo, -yaw, 2.0),
        "picture bent (radius 1.2), turned": lambda one, yaw: bent(one.photo, -yaw, 1.2),
        "picture bent (radius 0.8), turned": lambda one, yaw: bent(one.photo, -yaw, 0.8),
        "picture bent (radius 0.5), turned": lambda one, yaw: bent(one.photo, -yaw, 0.5),
        "head of mean depth, turned": lambda one, yaw: head(one.photo, one.face.detection.landmarks, yaw),
    }
    picked = {
        name: draw for name, draw in cases.items() if not wanted or any(word in name for word in wanted)
    }
    for name, draw in picked.items():
        angles = [float(angle) for angle in (HEAD_SWEEP if name.startswith("head") else PICTURE_SWEEP)]
        ends = {steps: collections.Counter[str]() for steps in (BOTH[:1], BOTH)}
        for one in chosen:
            seen = track(sweep(functools.partial(draw, one), angles), one.face)
            for steps, counts in ends.items():
                counts[verdict(seen, steps)] += 1
        for steps, counts in ends.items():
            tell(f"{name}: {len(steps)} turn(s)", counts, "passed")


def tell(name: str, counts: collections.Counter[str], wanted: str) -> None:
    """One line: how many ended as wanted, and how the others did."""
    others = ", ".join(f"{end} {count}" for end, count in counts.most_common() if end != wanted)
    print(f"  {name:56s} {wanted} {wilson(counts[wanted], counts.total())}  {others}", flush=True)


def blinks(chosen: list[Person], shut: list[Person]) -> None:
    """Drawn lids, strips laid over the eyes, and pictures that only shake or bend."""
    for name in CASES:
        counts = collections.Counter[str]()
        for number, one in enumerate(chosen):
            other = shut[number % len(shut)]
            shown = Shown(
                one.photo, one.face.detection.landmarks, (other.photo, other.face.detection.landmarks)
            )
            frames = blinking(shown, name, np.random.default_rng(number))
            counts[verdict(track(frames, one.face), (Step.BLINK,))] += 1
        tell(name, counts, "passed")
    for name, moved in (("picture shaken for 6 s", shaken), ("paper flexed and rocked for 6 s", flexed)):
        counts = collections.Counter[str]()
        for number, one in enumerate(chosen):
            chance = np.random.default_rng(number)
            frames = (one.photo if frame < 7 else moved(one.photo, chance) for frame in range(67))
            counts[verdict(track(frames, one.face), (Step.BLINK,))] += 1
        tell(name + ", blink asked for", counts, "passed")


def real_lids(everybody: dict[str, list[Person]]) -> None:
    """Photos with eyes really shut, against the same with the person's own open eyes from another photo."""
    counts, each = collections.Counter[str](), collections.Counter[str]()
    for photos in everybody.values():
        for one in (photo for photo in photos if photo.digest in SHUT_PHOTOS):
            open_eyed = [other for other in photos if other.digest not in SHUT_PHOTOS]
            ends = [_really_shut(one, other) for other in open_eyed]
            counts.update(ends)
            if ends:
                each["shut" if 2 * ends.count("shut") > len(ends) else "not"] += 1
    tell("eyes really shut, pairs of photos", counts, "shut")
    tell("the same, photos (by most of their pairs)", each, "shut")


def _really_shut(one: Person, other: Person) -> str:
    marks = one.face.detection.landmarks
    opened = with_eyes_of(one.photo, marks, other.photo, other.face.detection.landmarks)
    found = observe(opened, largest_only=True)
    if not found:
        return "no face"
    up, down = cues(opened, found[0], 0.0), cues(one.photo, one.face, 0.1)
    if up.lids is None or down.lids is None:
        return "not measured"
    ratio = max(down.lids.right / up.lids.right, down.lids.left / up.lids.left)
    if ratio > CLOSED:
        return "open"
    covered = down.lids.presence < LEAST_PRESENCE * up.lids.presence
    return "covered" if covered or float(up.template @ down.template) < LEAST_LIKENESS else "shut"


def swaps(chosen: list[Person]) -> None:
    """A picture of one person settles, then another's goes on in its place."""
    counts = collections.Counter[str]()
    for one, other in itertools.pairwise(chosen):
        seen = track([one.photo] * 7 + [other.photo] * 7, one.face)
        counts[verdict(seen, (Step.BLINK, Step.TURN_LEFT))] += 1
    tell("another face after the calm look", counts, "other-face")


def real_turns(everybody: dict[str, list[Person]]) -> None:
    """Real photos of a person from the front and turned: would the turned one have been credited?"""
    counts = collections.Counter[str]()
    for photos in everybody.values():
        fronts = [one.face for one in photos if abs(one.face.quality.yaw_degrees) <= FRONTAL_DEGREES]
        for before, after in itertools.product(fronts, (one.face for one in photos)):
            yaw = after.quality.yaw_degrees - before.quality.yaw_degrees
            if abs(yaw) < 26 or float(before.template @ after.template) < 0.36:
                continue
            marks = before.detection.landmarks, after.detection.landmarks
            deep = nose_parallax(*marks) * np.sign(yaw) >= LEAST_PARALLAX
            counts["credited" if deep and narrowing(*marks, yaw) >= LEAST_NARROWING else "not"] += 1
    tell("real photo turned 26 degrees away from another", counts, "credited")


def main(wanted: list[str]) -> int:
    """Print each presentation's share of passes; `blinks`, or words for some of the turns, print less."""
    folder = Path(os.environ.get("DOORWARD_DATA", "")) / "faces_lfw"
    if not folder.is_dir():
        print("no faces to measure with: point DOORWARD_DATA at them")
        return 0
    everybody = collections.defaultdict(list)
    for name, person in people(folder):
        everybody[name].append(person)
    frontal = [
        photos[0]
        for photos in everybody.values()
        if abs(photos[0].face.quality.yaw_degrees) <= 8 and photos[0].face.quality.norm >= 11
    ]
    order = np.random.default_rng(2024).permutation(len(frontal))
    chosen = [frontal[number] for number in order[:PEOPLE]]
    print(f"{len(chosen)} people, {RATE:g} frames a second; 95 % intervals")
    real_turns(everybody)
    if not wanted or "blinks" in wanted:
        shut = [one for photos in everybody.values() for one in photos if one.digest in SHUT_PHOTOS]
        real_lids(everybody)
        blinks(chosen, shut)
    if not wanted:
        swaps(chosen)
    turns(chosen, wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
