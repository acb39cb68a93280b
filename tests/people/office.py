"""A small registry office with made-up people: faces are random directions, names come from Faker."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faker import Faker

from doorward.audit.service import list_entries
from doorward.people import service
from doorward.people.model import Basis, Enrolment, Kind
from doorward.people.service import NewPerson, Recogniser
from doorward.platform.db import Database, Unit
from doorward.platform.paging import PageRequest
from doorward.vault.service import Vault
from doorward.vision.model import (
    Box,
    FaceDetection,
    FaceObservation,
    FaceProblem,
    FaceQuality,
    FaceTemplate,
)
from doorward.vision.quality import Assessment
from tests.conftest import GUARD, SITE, SteppingClock
from tests.searching import recogniser_at

ALL = PageRequest(None, 200)


def direction(seed: int) -> FaceTemplate:
    """The face of made-up person number `seed`."""
    return _unit(np.random.default_rng(seed).normal(size=128))


def near(seed: int, shot: int = 0, *, spread: float = 0.03) -> FaceTemplate:
    """That person on another photo."""
    noise = np.random.default_rng([seed, shot]).normal(size=128)
    return _unit(direction(seed) + spread * noise)


def photo(seed: int, shot: int = 0, problem: FaceProblem | None = None) -> Assessment:
    quality = FaceQuality(12.0, 60.0, 0.0, 90.0, 120.0, 1.0, problem)
    detection = FaceDetection(Box(10, 10, 90, 90), np.zeros((5, 2), np.float32), 0.95)
    seen = FaceObservation(detection, near(seed, shot), quality, np.zeros((112, 112, 3), np.uint8))
    return Assessment(problem, seen)


def photos(seed: int, count: int = 3) -> list[Assessment]:
    return [photo(seed, shot) for shot in range(count)]


@dataclass(slots=True)
class Office:
    database: Database
    clock: SteppingClock
    vault: Vault
    recogniser: Recogniser
    faker: Faker
    folder: Path

    def another_process(self) -> Recogniser:
        """What another process of the same site knows people by."""
        return recogniser_at(self.vault, self.folder)

    @contextmanager
    def unit(self, site_id: str = SITE) -> Iterator[Unit]:
        with self.database.unit(GUARD, site_id) as unit:
            yield unit

    def person(self, **said: Any) -> str:
        told: dict[str, Any] = {"name": self.faker.name(), "basis": Basis.CONSENT} | said
        with self.unit() as unit:
            return service.add_person(unit, self.vault, NewPerson(**told)).id

    def visitor(self, **said: Any) -> str:
        until = self.clock.now.replace(hour=18)
        return self.person(**{"kind": Kind.VISITOR, "valid_until": until} | said)

    def enrol(self, person_id: str, shown: list[Assessment], **said: Any) -> Enrolment:
        told: dict[str, Any] = {"basis": Basis.CONSENT, "notice": "2030-1"} | said
        with self.unit() as unit:
            return service.enrol_face(unit, self.recogniser, person_id, shown, **told)

    def known(self, seed: int) -> str:
        """A person whose face is enrolled."""
        person_id = self.person()
        assert self.enrol(person_id, photos(seed)).enrolled
        return person_id

    def who(self, seed: int, recogniser: Recogniser | None = None) -> str | None:
        with self.unit() as unit:
            return service.identify_face(unit, recogniser or self.recogniser, near(seed, 99), one_in=200)

    def events(self, event: str | None = None) -> list[tuple[str, str | None, dict[str, Any]]]:
        with self.unit() as unit:
            found = list_entries(unit, ALL, event=event).items
        return [(one.event, one.subject_id, json.loads(one.facts)) for one in found]


def _unit(vector: Any) -> FaceTemplate:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def made_up_names() -> Faker:
    faker = Faker()
    faker.seed_instance(7)
    return faker
