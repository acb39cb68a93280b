"""From photos to one sealed template: each refused photo gets one reason; nobody is enrolled by halves."""

from collections.abc import Iterable, Sequence

from doorward.audit.service import record
from doorward.core.errors import Denied, NotFound
from doorward.core.permissions import Permission
from doorward.people.model import Approved, Basis, Enrolment, FrameVerdict
from doorward.people.model.approvals import Action
from doorward.people.ports import Face
from doorward.people.rules import (
    LEAST_FRAMES,
    PHOTO_BASES,
    odd_ones_out,
    repeated,
    require_face_basis,
    require_notice,
    require_photo_basis,
    require_reason,
)
from doorward.people.service.approvals import other_approvers, require_approval
from doorward.people.service.persons import get_person
from doorward.people.service.recogniser import Recogniser
from doorward.people.service.templates import template_bytes, template_place
from doorward.people.store import faces
from doorward.people.store.faces import TemplateRow
from doorward.platform.db import Unit
from doorward.vault.model import Place
from doorward.vault.service import SubjectKey, add_photo, forget_photos, open_key
from doorward.vision.faces import enrol_template
from doorward.vision.model import FaceObservation, FaceTemplate
from doorward.vision.quality import Assessment
from doorward.vision.thresholds import face_threshold

# Photos of one person must be more alike than one in ten thousand pairs of strangers.
SAME_PERSON_ONE_IN = 10_000
DUPLICATE_ONE_IN = 1_000
NO_COMPANY = "This photo shows somebody else than the others do."
SEEN_BEFORE = "This photo is the same as another one: take one at another moment."


def enrol_face(
    unit: Unit,
    recogniser: Recogniser,
    person_id: str,
    photos: Sequence[Assessment],
    *,
    basis: Basis,
    notice: str,
    override_reason: str | None = None,
    distinct_reason: str | Approved | None = None,
) -> Enrolment:
    """Enrol from at least three good photos, or from one or two with a stated reason; again replaces.

    Too few good photos is an answer (`enrolled` False with the reason), not an exception; then nothing is
    kept. So is a face like another enrolled person's: `distinct_reason` enrols it, once a second person
    has looked and approved (facts: `person`, `alike`); give it with the approval as `Approved`.
    """
    person = get_person(unit, person_id)
    distinct = (
        distinct_reason if isinstance(distinct_reason, Approved) else Approved(distinct_reason or "", None)
    )
    require_face_basis(basis)
    require_notice(notice)
    good, verdicts = _agreeing(photos)
    template = enrol_template([seen.template for seen in good]) if good else None
    alike = () if template is None else _likely_same(unit, recogniser, person_id, template)
    reason = (
        _too_few(len(good), override_reason)
        or _not_compared(unit, recogniser, alike)
        or _too_alike(alike, distinct.reason or None)
    )
    if reason is not None or template is None:
        record(
            unit, "face.refused", subject_id=person.id, photos=len(photos), good=len(good), alike=list(alike)
        )
        return Enrolment(person_id, False, verdicts, reason or "", alike)
    if alike:
        _require_second_look(unit, person_id, alike, distinct.approval_id)
    stated = " / ".join(said for said in (override_reason, distinct.reason) if said)
    _keep(unit, recogniser, person_id, template, frames=len(good), said=(basis, notice, stated))
    record(
        unit,
        "face.enrolled",
        subject_id=person_id,
        frames=len(good),
        basis=basis,
        notice=notice,
        overridden=len(good) < LEAST_FRAMES,
        alike=list(alike),
    )
    return Enrolment(person_id, True, verdicts, likely_same_as=alike)


def keep_photos(unit: Unit, recogniser: Recogniser, person_id: str, jpegs: Sequence[bytes]) -> list[str]:
    """Keep photos beside a face whose basis covers pictures, in place of former ones; their ids."""
    kept = faces.find_face(unit.rows, unit.site_id, person_id)
    if kept is None:
        raise NotFound("No face is enrolled for this person.")
    require_photo_basis(Basis(kept.basis))
    forget_photos(unit, recogniser.vault, person_id)
    return [add_photo(unit, recogniser.vault, person_id, jpeg) for jpeg in jpegs]


def withdraw_face(unit: Unit, recogniser: Recogniser, person_id: str) -> None:
    """Forget a face and its photos at once; cards, codes and PINs keep working."""
    get_person(unit, person_id)
    if not faces.forget_template(unit.rows, person_id):
        raise NotFound("No face is enrolled for this person.")
    forget_photos(unit, recogniser.vault, person_id)
    recogniser.matcher.forget(unit, [person_id])
    record(unit, "face.withdrawn", subject_id=person_id)


def identify_face(unit: Unit, recogniser: Recogniser, face: Face, *, one_in: int) -> str | None:
    """Who among everybody this is, with at most one wrong answer in `one_in` strangers; None for unknown."""
    recogniser.make_ready(unit)
    found = recogniser.matcher.identify(unit, face, one_in=one_in)
    if found is None and recogniser.has_news(unit):
        return recogniser.matcher.identify(unit, face, one_in=one_in)
    return found


def verify_face(unit: Unit, recogniser: Recogniser, person_id: str, face: Face, *, one_in: int) -> bool:
    """Whether this is that person, with at most one wrong yes in `one_in` strangers."""
    recogniser.make_ready(unit)
    if recogniser.matcher.verify(unit, person_id, face, one_in=one_in):
        return True
    return recogniser.has_news(unit) and recogniser.matcher.verify(unit, person_id, face, one_in=one_in)


def gallery_size(unit: Unit, recogniser: Recogniser) -> int:
    """How many faces are enrolled at this site."""
    if recogniser.matcher.is_elsewhere():  # which may be away just now
        return len(faces.list_enrolled(unit.rows, unit.site_id))
    recogniser.gallery(unit)
    return recogniser.matcher.count(unit)


def _agreeing(photos: Sequence[Assessment]) -> tuple[list[FaceObservation], tuple[FrameVerdict, ...]]:
    # A refused photo carries its face too, so that staff can see why: it must not count.
    usable = [
        (n, photo.observation)
        for n, photo in enumerate(photos)
        if photo.accepted and photo.observation is not None
    ]
    reasons = dict.fromkeys(_chosen(usable, repeated(_likeness(usable))), SEEN_BEFORE)
    fresh = [(n, observation) for n, observation in usable if n not in reasons]
    cut = face_threshold(one_in=SAME_PERSON_ONE_IN, gallery_size=1, enrolled_frames=1)
    reasons |= dict.fromkeys(_chosen(fresh, odd_ones_out(_likeness(fresh), cut)), NO_COMPANY)
    verdicts = [_verdict(n, photo, reasons.get(n, "")) for n, photo in enumerate(photos)]
    return [observation for n, observation in fresh if n not in reasons], tuple(verdicts)


def _likeness(seen: Sequence[tuple[int, FaceObservation]]) -> list[list[float]]:
    templates = [observation.template for _, observation in seen]
    return [[float(a @ b) for b in templates] for a in templates]


def _chosen(seen: Sequence[tuple[int, FaceObservation]], places: Iterable[int]) -> list[int]:
    return [seen[place][0] for place in places]


def _verdict(number: int, photo: Assessment, reason: str) -> FrameVerdict:
    refused = photo.problem.advice if photo.problem is not None else reason
    return FrameVerdict(number, not refused, refused)


def _too_few(good: int, override_reason: str | None) -> str | None:
    if good >= LEAST_FRAMES:
        return None
    if good == 0:
        return "No photo can be used: take new ones as the reasons say."
    if override_reason is None:
        return (
            f"{good} of the {LEAST_FRAMES} good photos needed: add more, or state a reason to do with less."
        )
    require_reason(override_reason)
    return None


def _not_compared(unit: Unit, recogniser: Recogniser, alike: Sequence[str]) -> str | None:
    """Why it cannot be said whether this face is enrolled already: doubt must not spare the second look."""
    if alike or recogniser.matcher.doubt(unit) is None:
        return None
    return "This face cannot be compared with the others just now: wait a minute, or see the alarms."


def _too_alike(alike: Sequence[str], distinct_reason: str | None) -> str | None:
    if not alike:
        return None
    if distinct_reason is None:
        return "This face is like that of another person enrolled: a second person must look at both."
    require_reason(distinct_reason)
    return None


def _require_second_look(unit: Unit, person_id: str, alike: Sequence[str], approval_id: str | None) -> None:
    """Two people; where nobody else could approve, one who may approve himself."""
    if not other_approvers(unit) and not unit.actor.may(Permission.STAFF_APPROVE, unit.site_id):
        raise Denied(f"To enrol a face like another person's needs the right {Permission.STAFF_APPROVE}.")
    facts = {"person": person_id, "alike": list(alike)}
    require_approval(unit, approval_id, Action.ENROL_ALIKE, facts)


def _keep(
    unit: Unit,
    recogniser: Recogniser,
    person_id: str,
    template: FaceTemplate,
    *,
    frames: int,
    said: tuple[Basis, str, str],
) -> None:
    basis, notice, stated = said
    key = open_key(unit, recogniser.vault, person_id)
    place = override_place(person_id)
    row = TemplateRow(
        person_id=person_id,
        site_id=unit.site_id,
        template=_kept_here(recogniser, key, person_id, template),
        frames=frames,
        basis=basis,
        notice_version=notice,
        override=key.seal(place, stated.encode()) if stated else None,
        enrolled_at=unit.now,
    )
    faces.put_template(unit.rows, row)
    recogniser.matcher.enrol(unit, {person_id: template})
    if basis not in PHOTO_BASES:
        forget_photos(unit, recogniser.vault, person_id)


def _kept_here(recogniser: Recogniser, key: SubjectKey, person_id: str, template: FaceTemplate) -> bytes:
    """The sealed template; nothing where a decider elsewhere keeps it."""
    if recogniser.matcher.is_elsewhere():
        return b""
    return key.seal(template_place(person_id), template_bytes(template))


def override_place(person_id: str) -> Place:
    """Where a stated reason lies: people write names into such fields."""
    return Place("people_templates", "override", person_id)


def _likely_same(
    unit: Unit, recogniser: Recogniser, person_id: str, template: FaceTemplate
) -> tuple[str, ...]:
    """Another person nearest to this face; their own former face, nearer still, must not hide them."""
    recogniser.gallery(unit)
    found = recogniser.matcher.identify(unit, template, one_in=DUPLICATE_ONE_IN, besides=person_id)
    return (found,) if found else ()
