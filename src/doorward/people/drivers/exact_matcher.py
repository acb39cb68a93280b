"""Exact search in memory: one row a subject, every row looked at."""

import threading

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.vision.model import TEMPLATE_LENGTH, FaceTemplate

# So few rows are multiplied by one thread. A larger product is shared among threads that wait for each other,
# which takes hundreds of times longer while video keeps the cores busy.
BLOCK = 2048


class ExactMatcher:
    """Templates as rows of a float32 matrix that doubles when full; a forgotten row is zeroed and reused."""

    def __init__(self) -> None:
        self._rows: NDArray[np.float32] = np.zeros((64, TEMPLATE_LENGTH), np.float32)
        self._scores: NDArray[np.float32] = np.zeros(64, np.float32)
        self._owners: list[str | None] = []
        self._places: dict[str, int] = {}
        self._free: list[int] = []
        self._lock = threading.RLock()

    def enrol(self, subject_id: str, template: FaceTemplate) -> None:
        if template.shape != (TEMPLATE_LENGTH,) or not np.isfinite(template).all():
            raise Invalid("A face template has 128 finite numbers: enrol this face again.")
        with self._lock:
            place = self._places.get(subject_id)
            if place is None:
                place = self._room_for_one()
                self._owners[place] = subject_id
                self._places[subject_id] = place
            self._rows[place] = template

    def forget(self, subject_id: str) -> None:
        with self._lock:
            place = self._places.pop(subject_id, None)
            if place is not None:
                self._rows[place] = 0
                self._owners[place] = None
                self._free.append(place)

    def identify(self, template: FaceTemplate, cut: float, *, besides: str | None = None) -> str | None:
        with self._lock:
            used = len(self._owners)
            if not self._places:
                return None
            for start in range(0, used, BLOCK):
                end = min(start + BLOCK, used)
                np.dot(self._rows[start:end], template, out=self._scores[start:end])
            if besides in self._places:
                self._scores[self._places[besides]] = -np.inf
            best = int(np.argmax(self._scores[:used]))
            owner, score = self._owners[best], float(self._scores[best])
        # A free row scores 0 and has no owner, so it can only win when nobody is near at all.
        return owner if score >= cut else None

    def verify(self, subject_id: str, template: FaceTemplate, cut: float) -> bool:
        with self._lock:
            place = self._places.get(subject_id)
            return place is not None and float(self._rows[place] @ template) >= cut

    def count(self) -> int:
        with self._lock:
            return len(self._places)

    def _room_for_one(self) -> int:
        if self._free:
            return self._free.pop()
        place = len(self._owners)
        if place == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._scores = np.zeros(len(self._rows), np.float32)
        self._owners.append(None)
        return place
