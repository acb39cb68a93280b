"""`doorward enrol`, `enrol-folder`: from photos to known faces, one person or many."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from doorward.app.commands.finding import is_person
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import Context, context_of
from doorward.app.house import House
from doorward.core.errors import Conflict, DoorwardError, Invalid
from doorward.people.model import Basis, Enrolment, Kind
from doorward.people.rules import require_face_basis, require_notice
from doorward.people.service import NewPerson, add_person, enrol_face, find_by_name
from doorward.vision.decoding import load_image
from doorward.vision.model import FaceProblem
from doorward.vision.quality import Assessment, assess

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
BASIS = typer.Option(Basis.CONSENT, help="Lawful basis of processing this face.")
NOTICE = typer.Option("1", help="Version of the privacy notice the person was given.")
Judged = tuple[Assessment, str]


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stated with the photos: the lawful basis, the notice given, reasons to depart from a rule."""

    basis: Basis
    notice: str
    override_reason: str | None = None
    distinct_reason: str | None = None


class _Refused(Exception):
    """Somebody new who could not be enrolled: nothing of them is kept."""


def enrol(
    ctx: typer.Context,
    name: str = typer.Argument(
        help=f"The person's name; the id of somebody known already. {DASH}", callback=unseen
    ),
    photos: list[Path] = typer.Argument(
        help="Three or more photos of this one person, each another moment; a folder means every photo in it."
    ),
    basis: Basis = BASIS,
    notice: str = NOTICE,
    override_reason: str = typer.Option(
        None, help="Enrol with one or two good photos, for this stated reason (kept out of the audit log)."
    ),
    distinct_reason: str = typer.Option(
        None,
        help="Enrol a face like another person's, for this stated reason (likewise). Elsewhere a second "
        "person looks at both; here the log says that it was done alone.",
    ),
) -> None:
    """Enrol a person from photos. Each refused photo gets one clear reason; nothing is kept by halves.

    Example: doorward enrol "Ada Example" ada1.jpg ada2.jpg ada3.jpg

    Example: doorward enrol - folder-of-photos
    """
    context = context_of(ctx)
    require_notice(notice)
    require_face_basis(basis)
    found = [one for path in photos for one in _pictures_in(path)]
    with context.house() as house:
        judged = [_judge(photo) for photo in context.each("Looking at photos", found)]
        made = _enrol(house, name, judged, Stated(basis, notice, override_reason, distinct_reason))
    _tell(context, found, judged, made)
    if not made.enrolled:
        raise typer.Exit(2)


def enrol_folder(
    ctx: typer.Context,
    folder: Path = typer.Argument(
        help="Holds one folder of photos for each person, named after that person."
    ),
    basis: Basis = BASIS,
    notice: str = NOTICE,
) -> None:
    """Enrol many people: a sub-folder each, whose name is theirs (Ada_Example is Ada Example).

    Whoever cannot be enrolled is told with the reason, and the others are. Exit code 2 if anybody was not.

    Example: doorward enrol-folder new-staff --notice 2030-1
    """
    context = context_of(ctx)
    require_notice(notice)
    require_face_basis(basis)
    people = _folders_in(folder)
    with context.house() as house:
        stated = Stated(basis, notice)
        rows = [_row(house, one, stated) for one in context.each("Enrolling people", people)]
    columns = ["folder", "enrolled", "good_photos", "photos", "person", "reason"]
    context.voice.table("Enrolled", columns, rows)
    if not all(row["enrolled"] for row in rows):
        raise typer.Exit(2)


def _row(house: House, folder: Path, stated: Stated) -> dict[str, object]:
    """What became of one; whatever was wrong with it does not stop the others."""
    name, photos = folder.name.replace("_", " "), list[Path]()
    try:
        photos = _pictures_in(folder)
        made = _enrol(house, name, [_judge(photo) for photo in photos], stated)
    except (Conflict, Invalid) as error:
        made = Enrolment("", False, (), str(error))
    return {
        "folder": folder.name,
        "enrolled": made.enrolled,
        "good_photos": sum(one.accepted for one in made.frames),
        "photos": len(photos),
        "person": made.person_id or None,
        "reason": made.reason,
        "likely_same_as": list(made.likely_same_as),
    }


def _enrol(house: House, name: str, judged: Sequence[Judged], stated: Stated) -> Enrolment:
    """A new person is kept only if enrolled; a refusal of somebody known is kept in the log."""
    answer: list[Enrolment] = []
    try:
        with house.unit() as unit:
            known = [name] if is_person(unit, name) else find_by_name(unit, house.vault, name)
            if len(known) > 1:
                raise Conflict(
                    "More than one bears this name: use the id, as `doorward person find` shows it."
                )
            new = NewPerson(name=name, basis=stated.basis, notice_version=stated.notice, kind=Kind.MEMBER)
            person_id = known[0] if known else add_person(unit, house.vault, new).id
            made = enrol_face(
                unit,
                house.recogniser,
                person_id,
                [one for one, _ in judged],
                **asdict(stated),
            )
            answer.append(made)
            if not made.enrolled and not known:
                raise _Refused
    except _Refused:
        made = answer[0]
        return Enrolment("", False, made.frames, made.reason, made.likely_same_as)
    return answer[0]


def _pictures_in(path: Path) -> list[Path]:
    """Every photo of a folder; a path to anything else stands for itself, and is judged later."""
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURES)
    if not found:
        raise Invalid(f"The folder {path} holds no photos: put JPEG, PNG or WebP files there.")
    return found


def _folders_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise Invalid(f"There is no folder {folder}: check the path.")
    found = sorted(one for one in folder.iterdir() if one.is_dir())
    if not found:
        raise Invalid(f"{folder} holds no folders: give each person a folder of photos in it.")
    return found


def _judge(photo: Path) -> Judged:
    """One photo; a file that cannot be read is a refused photo, not the end."""
    try:
        return assess(load_image(photo)), ""
    except DoorwardError as error:
        return Assessment(FaceProblem.NO_FACE, None), str(error)


def _tell(context: Context, photos: Sequence[Path], judged: Sequence[Judged], made: Enrolment) -> None:
    rows = [
        {
            "photo": str(photos[verdict.number]),
            "file": photos[verdict.number].name,
            "accepted": verdict.accepted,
            "reason": judged[verdict.number][1] or verdict.reason,
        }
        for verdict in made.frames
    ]
    context.voice.table("Photos", ["accepted", "file", "reason"], rows)
    good = sum(verdict.accepted for verdict in made.frames)
    sentence = f"Enrolled from {good} photos." if made.enrolled else f"Not enrolled. {made.reason}"
    facts = {"person": made.person_id or None, "enrolled": made.enrolled, "reason": made.reason}
    context.voice.answer(facts | {"likely_same_as": list(made.likely_same_as)}, sentence)
