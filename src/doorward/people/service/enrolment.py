"""From photos to one sealed template: each refused photo gets one reason; nobody is enrolled by halves."""

from collections.abc import Sequence

from doorward.audit.service import record
from doorward.core.errors import Invalid, NotFound
from doorward.people.model import Basis, Enrolment, FrameVerdict
from doorward.people.rules import LEAST_FRAMES, odd_ones_out
from doorward.people.service.persons import get_person
from doorward.people.service.recogniser import Recogniser, announce, template_bytes, template_place
from doorward.people.store import faces
from doorward.people.store.faces import TemplateRow
from doorward.platform.db import Unit
from doorward.vault.service import seal_for
from doorward.vision.faces import enrol_template
from doorward.vision.model import FaceObservation, FaceTemplate
from doorward.vision.quality import Assessment
from doorward.vision.thresholds import face_threshold

# Photos of one person must be more alike than one in ten thousand pairs of strangers.
SAME_PERSON_ONE_IN = 10_000
DUPLICATE_ONE_IN = 1_000
NO_COMPANY = "This photo shows somebody else than the others do."


def enrol_face(
    unit: Unit,
    recogniser: Recogniser,
    person_id: str,
    photos: Sequence[Assessment],
    *,
    basis: Basis,
    override_reason: str | None = None,
) -> Enrolment:
    """Enrol from at least three good photos, or from one or two with a stated reason.

    Too few good photos is an answer (`enrolled` False with the reason); nothing is kept then.
    """
    person = get_person(unit, person_id)
    good, verdicts = _agreeing(photos)
    reason = _too_few(len(good), override_reason)
    if reason is not None:
        record(unit, "face.refused", subject_id=person.id, photos=len(photos), good=len(good))
        return Enrolment(person_id, False, verdicts, reason)
    template = enrol_template([observation.template for observation in good])
    alike = _likely_same(unit, recogniser, person_id, template)
    sealed = seal_for(unit, recogniser.vault, person_id, template_place(person_id), template_bytes(template))
    row = TemplateRow(
        person_id=person_id,
        site_id=unit.site_id,
        template=sealed,
        frames=len(good),
        basis=basis,
        enrolled_at=unit.now,
    )
    faces.put_template(unit.rows, row)
    announce(unit, person_id)
    record(
        unit,
        "face.enrolled",
        subject_id=person_id,
        frames=len(good),
        basis=basis,
        overridden=len(good) < LEAST_FRAMES,
        alike=list(alike),
    )
    return Enrolment(person_id, True, verdicts, likely_same_as=alike)


def withdraw_face(unit: Unit, person_id: str) -> None:
    """Forget a face at once; cards, codes and PINs keep working."""
    get_person(unit, person_id)
    if not faces.forget_template(unit.rows, person_id):
        raise NotFound("No face is enrolled for this person.")
    announce(unit, person_id)
    record(unit, "face.withdrawn", subject_id=person_id)


def identify_face(unit: Unit, recogniser: Recogniser, template: FaceTemplate, *, one_in: int) -> str | None:
    """Who among everybody this is, with at most one wrong answer in `one_in` strangers; None for unknown."""
    matcher = recogniser.gallery(unit).matcher
    if not matcher.count():
        return None
    match = matcher.identify(template, face_threshold(one_in=one_in, gallery_size=matcher.count()))
    return match.subject_id if match else None


def verify_face(
    unit: Unit, recogniser: Recogniser, person_id: str, template: FaceTemplate, *, one_in: int
) -> bool:
    """Whether this is that person, with at most one wrong yes in `one_in` strangers."""
    matcher = recogniser.gallery(unit).matcher
    return matcher.verify(person_id, template, face_threshold(one_in=one_in, gallery_size=1))


def gallery_size(unit: Unit, recogniser: Recogniser) -> int:
    """How many faces are enrolled at this site."""
    return recogniser.gallery(unit).matcher.count()


def _agreeing(photos: Sequence[Assessment]) -> tuple[list[FaceObservation], tuple[FrameVerdict, ...]]:
    usable = [(n, photo.observation) for n, photo in enumerate(photos) if photo.observation is not None]
    templates = [observation.template for _, observation in usable]
    cut = face_threshold(one_in=SAME_PERSON_ONE_IN, gallery_size=1, enrolled_frames=1)
    odd = odd_ones_out([[float(a @ b) for b in templates] for a in templates], cut)
    refused = {usable[index][0] for index in odd}
    verdicts = [_verdict(n, photo, odd=n in refused) for n, photo in enumerate(photos)]
    good = [observation for n, observation in usable if n not in refused]
    return good, tuple(verdicts)


def _verdict(number: int, photo: Assessment, *, odd: bool) -> FrameVerdict:
    if photo.problem is not None:
        return FrameVerdict(number, False, photo.problem.advice)
    return FrameVerdict(number, not odd, NO_COMPANY if odd else "")


def _too_few(good: int, override_reason: str | None) -> str | None:
    if good >= LEAST_FRAMES:
        return None
    if good == 0:
        return "No photo can be used: take new ones as the reasons say."
    if override_reason is None:
        return (
            f"{good} good photos of the {LEAST_FRAMES} needed: add more, or state a reason to do with less."
        )
    if len(override_reason.strip()) < 5:
        raise Invalid("State the reason to enrol with fewer photos in at least 5 characters.")
    return None


def _likely_same(
    unit: Unit, recogniser: Recogniser, person_id: str, template: FaceTemplate
) -> tuple[str, ...]:
    matcher = recogniser.gallery(unit).matcher
    size = matcher.count()
    match = size and matcher.identify(template, face_threshold(one_in=DUPLICATE_ONE_IN, gallery_size=size))
    return (match.subject_id,) if match and match.subject_id != person_id else ()
