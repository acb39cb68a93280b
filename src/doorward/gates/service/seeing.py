"""From what an agent saw to who that is."""

from dataclasses import dataclass, field

from doorward.core.wire import SealedFace, Sighting, face_of
from doorward.gates.model import (
    LEAST_ONE_IN_IDENTIFYING,
    LEAST_ONE_IN_VERIFYING,
    AlarmKind,
    Factor,
    Gate,
    Identification,
    PinAnswer,
    Plan,
    Refusal,
    Seen,
    SiteRules,
)
from doorward.gates.rules.factors import alternative, asked_for
from doorward.gates.service.alarms import DECIDER, raise_once
from doorward.gates.service.guessing import Tries
from doorward.gates.service.post import Post
from doorward.platform.db import Unit

# Which doubt is told when several arose: the one that says most.
GRAVEST_FIRST = (
    Refusal.IDENTITIES_DIFFER,
    Refusal.PIN_LOCKED,
    Refusal.PIN_WRONG,
    Refusal.FACE_MISMATCH,
    Refusal.FACE_DELAYED,
    Refusal.LIVENESS_FAILED,
    Refusal.TOO_FEW_FRAMES,
    Refusal.UNCLEAR_PLATE,
    Refusal.UNKNOWN,
)
MATCHER = "matcher"  # the place of alarms about it
# While one of these waits nobody's face is told from another's; with the place of its alarm.
SHUT = {
    AlarmKind.DECIDER_AWAY: DECIDER,
    AlarmKind.MATCHER_AWAY: MATCHER,
    AlarmKind.MATCHER_FORGED: MATCHER,
}
OF_PEOPLE = frozenset({Factor.FACE, Factor.CARD, Factor.QR, Factor.PIN})


@dataclass(slots=True)
class _Findings:
    proven: set[Factor] = field(default_factory=set)
    doubts: set[Refusal] = field(default_factory=set)
    person_id: str | None = None
    vehicle_id: str | None = None
    duress: bool = False


def identify(unit: Unit, post: Post, plan: Plan, gate: Gate, sighting: Sighting) -> Seen:
    """Who was seen and what proves it. Only factors the gate asks for are looked at, and nothing is kept."""
    asked, found = asked_for(gate.factors), _Findings()
    _claims(unit, post, sighting, asked, found)
    if sighting.face is not None and Factor.FACE in asked:
        _face(unit, post, plan, gate, sighting, found=found)
    if sighting.pin is not None and Factor.PIN in asked and found.person_id is not None:
        _pin(unit, post, sighting.pin, found)
    if Factor.PLATE in asked:
        _plate(unit, post, gate, sighting, found)
    live = sighting.face.liveness_passed if sighting.face else None
    subjects = [post.identifier.subject_of(unit, one) for one in _who(gate, found, live=live)]
    return Seen(
        seen_at=sighting.seen_at,
        received_at=unit.now,
        proven=frozenset(found.proven),
        subjects=tuple(one for one in subjects if one is not None),
        doubt=next((doubt for doubt in GRAVEST_FIRST if doubt in found.doubts), None),
        liveness_passed=live,
        duress=found.duress,
        is_whole=None not in subjects,
    )


def _claims(unit: Unit, post: Post, sighting: Sighting, asked: frozenset[Factor], found: _Findings) -> None:
    claimed: set[str | None] = set()
    if sighting.card is not None and Factor.CARD in asked:
        holder = post.identifier.person_by_card(unit, sighting.card)
        claimed.add(holder)
        found.proven.update({Factor.CARD} if holder else ())
    if sighting.qr is not None and Factor.QR in asked:
        holder = post.identifier.person_by_qr(unit, sighting.qr)
        claimed.add(holder)
        found.proven.update({Factor.QR} if holder else ())
    if len(claimed) > 1:
        found.doubts.add(Refusal.IDENTITIES_DIFFER)
        found.proven.clear()
    elif None in claimed:
        found.doubts.add(Refusal.UNKNOWN)
    found.person_id = next(iter(claimed), None) if len(claimed) == 1 else None


def _face(unit: Unit, post: Post, plan: Plan, gate: Gate, sighting: Sighting, *, found: _Findings) -> None:
    face = sighting.face
    assert face is not None
    if face.frames < gate.least_frames:
        found.doubts.add(Refusal.TOO_FEW_FRAMES)
    elif Refusal.IDENTITIES_DIFFER in found.doubts:
        return
    elif found.person_id is not None:
        _verify(unit, post, plan, gate, sighting, found=found)
    elif looks_up(gate, plan.rules):
        _look_up(unit, post, plan, gate, sighting, found=found)
    elif face.liveness_passed is False:
        found.doubts.add(Refusal.LIVENESS_FAILED)


def looks_up(gate: Gate, rules: SiteRules) -> bool:
    """Whether a face alone is looked up among everybody."""
    return (gate.identification or rules.identification) is Identification.ONE_TO_MANY


def _verify(unit: Unit, post: Post, plan: Plan, gate: Gate, sighting: Sighting, *, found: _Findings) -> None:
    """Whether it is the face of whoever was claimed; after several failures in a row only after a while."""
    assert found.person_id is not None
    face, failed = _shown(sighting)
    tries = Tries.at(unit, gate, found.person_id)
    if tries.must_wait:
        found.doubts.add(Refusal.FACE_DELAYED)
        return
    one_in = max(gate.one_in or plan.rules.one_in_verifying, LEAST_ONE_IN_VERIFYING)
    if failed:
        doubt = Refusal.LIVENESS_FAILED
    elif post.identifier.is_face_of(unit, found.person_id, face, one_in=one_in):
        doubt = None
    elif _is_moot(unit, post, gate):
        found.doubts.add(Refusal.FACE_DELAYED)
        return
    else:
        doubt = Refusal.FACE_MISMATCH
    _keep(found, doubt)
    tries.note(fitted=doubt is None)


def _look_up(unit: Unit, post: Post, plan: Plan, gate: Gate, sighting: Sighting, *, found: _Findings) -> None:
    """Whose face it is, if anybody's.

    Strangers count at the gate. A failed challenge counts for whoever's face it showed, as a picture of them
    would: whoever merely walks past, known to nobody, keeps nobody waiting.
    """
    strangers, (face, failed) = Tries.at(unit, gate, None), _shown(sighting)
    if strangers.must_wait:
        found.doubts.add(Refusal.FACE_DELAYED)
        return
    one_in = max(gate.one_in or plan.rules.one_in_identifying, LEAST_ONE_IN_IDENTIFYING)
    person_id = post.identifier.person_by_face(unit, face, one_in=one_in)
    if person_id is None and _is_moot(unit, post, gate):
        found.doubts.add(Refusal.FACE_DELAYED)
        return
    if person_id is None:
        _keep(found, Refusal.LIVENESS_FAILED if failed else Refusal.UNKNOWN)
        if not failed:
            strangers.note(fitted=False)
        return
    tries = Tries.at(unit, gate, person_id)
    if tries.must_wait:
        found.doubts.add(Refusal.FACE_DELAYED)
        return
    _keep(found, Refusal.LIVENESS_FAILED if failed else None)
    tries.note(fitted=not failed)
    if not failed:
        found.person_id = person_id
        strangers.note(fitted=True)


def _is_moot(unit: Unit, post: Post, gate: Gate) -> bool:
    """Whether the search tells of nobody who they are, so that no face counts as a guess; staff hear of it.

    One that was asked too often told the truth before: faces go on to count.
    """
    kind = post.identifier.doubt(unit)
    if kind is not None:
        raise_once(unit, kind, SHUT.get(kind, gate.id))
    return kind in SHUT


def _shown(sighting: Sighting) -> tuple[SealedFace, bool]:
    """The face that was shown, and whether it failed its challenge."""
    sealed = face_of(sighting)
    assert sealed is not None and sighting.face is not None
    return sealed, sighting.face.liveness_passed is False


def _keep(found: _Findings, doubt: Refusal | None) -> None:
    if doubt is None:
        found.proven.add(Factor.FACE)
    else:
        found.doubts.add(doubt)


def _pin(unit: Unit, post: Post, pin: str, found: _Findings) -> None:
    assert found.person_id is not None
    match post.identifier.check_pin(unit, found.person_id, pin):
        case PinAnswer.RIGHT:
            found.proven.add(Factor.PIN)
        case PinAnswer.DURESS:
            found.proven.add(Factor.PIN)
            found.duress = True
        case PinAnswer.LOCKED:
            found.doubts.add(Refusal.PIN_LOCKED)
        case _:
            found.doubts.add(Refusal.PIN_WRONG)


def _plate(unit: Unit, post: Post, gate: Gate, sighting: Sighting, found: _Findings) -> None:
    plate = sighting.plate
    if plate is None:
        return
    if plate.frames < gate.least_frames:
        found.doubts.add(Refusal.TOO_FEW_FRAMES)
    elif plate.minimum_character_confidence < gate.least_character_confidence:
        found.doubts.add(Refusal.UNCLEAR_PLATE)
    else:
        found.vehicle_id = post.identifier.vehicle_by_plate(unit, plate)
        if found.vehicle_id is None:
            found.doubts.add(Refusal.UNKNOWN)
        else:
            found.proven.add(Factor.PLATE)


def _who(gate: Gate, found: _Findings, *, live: bool | None) -> list[str]:
    """The person, then the vehicle; only those whose factors the alternative that opens asks for."""
    part = alternative(gate.factors, found.proven, live=live)
    met = None if part is None else set(part)
    person = found.person_id if met is None or met & OF_PEOPLE else None
    vehicle = found.vehicle_id if met is None or Factor.PLATE in met else None
    return [one for one in (person, vehicle) if one is not None]
