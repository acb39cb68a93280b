"""One passage, from a decoded 640x480 frame to the verdict on disk, against its two bare inferences.

The frame that settles a person: find, align, embed and judge the face; follow and vote; sign the sighting;
decide it in one committed transaction (SQLCipher, synchronous=FULL); verify the permit. With a card and the
holder's face (1:1), and by the face alone among everybody enrolled (1:N). Needs no pictures but the one that
scikit-image ships. Run: python -m benchmarks.passage [people]
"""

import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from benchmarks._face_speed import onnxruntime_session, published_models
from benchmarks._figures import Figure, tell
from benchmarks.decisions import ACTOR, SITE, Bench, bench
from doorward.core import wire
from doorward.core.clock import system_clock
from doorward.core.encoding import to_text
from doorward.gates import service
from doorward.gates.model import Agent, Factor, Gate, Identification
from doorward.gates.service.known import Known
from doorward.people.service import Recogniser
from doorward.people.service.credentials import find_by_card
from doorward.people.service.templates import template_bytes, template_place
from doorward.people.store import faces as stored
from doorward.vault.service import open_key
from doorward.vision import faces, weights
from doorward.vision.model import FaceObservation, FaceTemplate
from doorward.vision.tracks import FaceTracker
from doorward_edge.passage import FaceSeen
from doorward_edge.permits import fault_of
from doorward_edge.watcher.faces import observe_nearest

LIMIT = 1.5
ROUNDS = 120
WARMING = 10
FRAMES = 3
AGENT = "agent_faces"
BOTH = Gate(id="gate_both", name="Card and face", factors=((Factor.CARD, Factor.FACE),))
ALONE = Gate(
    id="gate_alone",
    name="Face alone",
    factors=((Factor.FACE,),),
    identification=Identification.ONE_TO_MANY,
)
Picture = NDArray[np.uint8]


@dataclass(slots=True)
class Times:
    """Milliseconds of each stage, one entry a round."""

    stages: dict[str, list[float]] = field(default_factory=dict)

    def add(self, stage: str, seconds: float) -> None:
        """One more measurement."""
        self.stages.setdefault(stage, []).append(1e3 * seconds)

    def median(self, stage: str) -> float:
        """The median of a stage."""
        return statistics.median(self.stages[stage])


@dataclass(frozen=True)
class Door:
    """One agent's side of a gate, as far as time goes."""

    made: Bench
    gate: Gate
    card: str | None
    frame: Picture
    earlier: list[FaceObservation]
    numbers: Iterator[int]

    def pass_once(self, times: Times) -> float:
        """One passage with two frames already seen; the seconds from this frame to a proven permit."""
        tracker = FaceTracker(frames_needed=FRAMES)
        for number, seen in enumerate(self.earlier):
            tracker.add([seen], at=0.1 * number)
        marks = [time.perf_counter()]
        observations = observe_nearest(self.frame)
        marks.append(time.perf_counter())
        (track,) = tracker.add(observations, at=0.1 * len(self.earlier))
        marks.append(time.perf_counter())
        sighting = self._sighting(track.template, track.frames, track.quality.norm)
        asked = time.monotonic()
        signed = wire.seal_message(self.made.key, AGENT, sighting)
        marks.append(time.perf_counter())
        with self.made.database.unit(ACTOR, SITE) as unit:
            answer = service.admit(unit, self.made.post, signed)
            marks.append(time.perf_counter())
        marks.append(time.perf_counter())
        permit = wire.open_message(self.made.post.keys.signing.public_key(), wire.Permit, answer)
        fault = fault_of(permit, sighting, waited=time.monotonic() - asked, last_used=sighting.sequence - 1)
        marks.append(time.perf_counter())
        assert fault is None and permit.opens, f"{self.gate.name}: {permit.because}"
        for stage, (began, ended) in zip(STAGES, itertools.pairwise(marks), strict=True):
            times.add(stage, ended - began)
        return marks[-1] - marks[0]

    def _sighting(self, template: FaceTemplate, frames: int, norm: float) -> wire.Sighting:
        # A face alone opens only to somebody seen to live: that took seconds before this frame.
        live = None if self.card else True
        face = FaceSeen(template=template, frames=frames, quality=norm, liveness_passed=live)
        key, place = self.made.post.identifier.face_key(), {"agent_id": AGENT, "gate_id": self.gate.id}
        number = next(self.numbers)
        return wire.Sighting(
            **place,
            sequence=number,
            seen_at=system_clock(),
            card=self.card,
            face=face.sealed(key, **place, sequence=number),
        )


PROCESSOR = "processor time over that of the bare inferences"
STAGES = (
    "vision: find, align, embed, judge",
    "follow and vote",
    "sign the sighting",
    "verify, identify, decide, write",
    "commit to disk",
    "verify the permit",
)


def camera_frame() -> Picture:
    """A 640x480 frame with one face as large as at a door; public domain."""
    photo = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    frame = np.full((480, 640, 3), 96, np.uint8)
    frame[:, 80:560] = cv2.resize(photo, (480, 480), interpolation=cv2.INTER_AREA)
    return frame


def furnish(made: Bench, template: FaceTemplate) -> None:
    """Two gates, their agent, and a face for everybody: the first person's real, the others' at random."""
    random = np.random.default_rng(0)
    public = to_text(made.key.public_key().public_bytes_raw())
    with made.database.unit(ACTOR, SITE) as unit:
        for piece in (BOTH, ALONE):
            service.set_piece(unit, made.post, piece)
        agent = Agent(id=AGENT, name="Faces", public_key=public, gate_ids=(BOTH.id, ALONE.id))
        service.set_piece(unit, made.post, agent)
        vault = recogniser_of(made).vault
        for number, card in enumerate(made.cards):
            person_id = find_by_card(unit, vault, card)
            assert person_id is not None
            other = random.normal(size=len(template)).astype(np.float32)
            own = template if number == 0 else other / np.linalg.norm(other)
            row = stored.TemplateRow(
                person_id=person_id,
                site_id=SITE,
                template=open_key(unit, vault, person_id).seal(
                    template_place(person_id), template_bytes(own)
                ),
                frames=FRAMES,
                basis="consent",
                notice_version="1",
                override=None,
                enrolled_at=unit.now,
            )
            stored.put_template(unit.rows, row)


def recogniser_of(made: Bench) -> Recogniser:
    """Whoever knows the faces of this site."""
    assert isinstance(made.post.identifier, Known)
    return made.post.identifier.recogniser


def bare_inferences(frame: Picture) -> dict[str, Callable[[], object]]:
    """The same two models on the same frame, given to a plain session on one thread."""
    detector, recogniser = (onnxruntime_session(path) for path in published_models())
    aligned = faces.align(frame, faces.detect(frame)[0].landmarks)
    frame_blob, face_blob = cv2.dnn.blobFromImage(frame), cv2.dnn.blobFromImage(aligned, swapRB=True)
    return {
        "bare inference: YuNet": lambda: detector.run(None, {"input": frame_blob}),
        "bare inference: SFace": lambda: recogniser.run(None, {"data": face_blob}),
    }


def measure(made: Bench) -> dict[str, Times]:
    """Rounds in which every contender takes its turn, so that a busy moment meets them alike."""
    frame = camera_frame()
    moved = [np.roll(frame, step, axis=1) for step in (2, 4)]
    earlier = [seen for one in moved for seen in observe_nearest(one)]
    furnish(made, faces.enrol_template([seen.template for seen in earlier]))
    numbers, bare = itertools.count(1), bare_inferences(frame)
    doors = {
        "1:1 card and face": Door(made, BOTH, made.cards[0], frame, earlier, numbers),
        f"1:N among {len(made.cards):,}": Door(made, ALONE, None, frame, earlier, numbers),
    }
    times = {name: Times() for name in ("bare", *doors)}
    for number in range(WARMING + ROUNDS):
        if number == WARMING:
            times = {name: Times() for name in times}
        used = time.process_time()
        for name, infer in bare.items():
            began = time.perf_counter()
            infer()
            times["bare"].add(name, time.perf_counter() - began)
        processor = time.process_time() - used
        for name, door in doors.items():
            used = time.process_time()
            times[name].add("whole", door.pass_once(times[name]))
            times[name].add(PROCESSOR, (time.process_time() - used) / processor / 1e3)
    return times


def main(people: int) -> int:
    """Print medians, each stage's share, and the ratio against its limit."""
    weights.prepare()
    cv2.setNumThreads(1)
    with bench(people) as made:
        times = measure(made)
    bare = times.pop("bare")
    sums = [sum(both) for both in zip(*bare.stages.values(), strict=True)]
    for name in bare.stages:
        print(f"  {name:36} {bare.median(name):8.2f} ms")
    for name, one in times.items():
        ratios = [whole / both for whole, both in zip(one.stages["whole"], sums, strict=True)]
        print(f"{name}: {one.median('whole'):.2f} ms, medians of {ROUNDS} interleaved rounds, one thread")
        for stage in STAGES:
            print(f"  {stage:36} {one.median(stage):8.2f} ms {one.median(stage) / one.median('whole'):6.1%}")
        ratio = one.median("whole") / statistics.median(sums)
        low, high = np.percentile(ratios, [25, 75])
        print(f"  processor time alone, without waiting for the disk: {one.median(PROCESSOR):.2f} x")
        print(f"  round by round: half of all ratios lie between {low:.2f} and {high:.2f}")
        tell(
            Figure(
                f"passage, frame to verdict on disk, {name}",
                f"{ratio:.2f} x",
                f"<= {LIMIT} x",
                ratio <= LIMIT,
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
