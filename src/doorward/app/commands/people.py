"""`doorward enrol`, `doorward person ...`: people, their faces, cards, codes and PINs."""

from pathlib import Path

import segno
import typer

from doorward.app.commands.finding import person_of
from doorward.app.context import Context, context_of
from doorward.core.errors import Conflict, DoorwardError
from doorward.people.model import Basis, Enrolment, Kind
from doorward.people.service import (
    NewPerson,
    add_card,
    add_person,
    enrol_face,
    find_by_name,
    forget_person,
    issue_qr,
    set_pin,
    view_person,
    withdraw_face,
)
from doorward.vault.service import receipt_text
from doorward.vision.decoding import load_image
from doorward.vision.model import FaceProblem
from doorward.vision.quality import Assessment, assess

commands = typer.Typer(no_args_is_help=True, help="People: find, look at, give credentials, forget.")
NAME = typer.Argument(help="The person's name as enrolled, or the id.")


def enrol(
    ctx: typer.Context,
    name: str = typer.Argument(help="The person's name."),
    photos: list[Path] = typer.Argument(help="Three or more photos of this one person, each another moment."),
    basis: Basis = typer.Option(Basis.CONSENT, help="Lawful basis of processing this face."),
    notice: str = typer.Option("1", help="Version of the privacy notice the person was given."),
    override_reason: str = typer.Option(
        None, help="Enrol with one or two good photos, for this stated reason (kept out of the audit log)."
    ),
) -> None:
    """Enrol a person from photos. Each refused photo gets one clear reason; nothing is kept by halves."""
    context = context_of(ctx)
    judged = [_judge(photo) for photo in context.each("Looking at photos", photos)]
    with context.house() as house, house.unit() as unit:
        known = find_by_name(unit, house.vault, name)
        if len(known) > 1:
            raise Conflict("More than one person bears this name: enrol by id with `doorward person face`.")
        new = NewPerson(name=name, basis=basis, notice_version=notice, kind=Kind.MEMBER)
        person_id = known[0] if known else add_person(unit, house.vault, new).id
        assessments = [one for one, _ in judged]
        made = enrol_face(
            unit,
            house.recogniser,
            person_id,
            assessments,
            basis=basis,
            notice=notice,
            override_reason=override_reason,
        )
        _tell(context, photos, judged, made)
        if not made.enrolled:
            raise typer.Exit(2)


@commands.command()
def find(ctx: typer.Context, name: str = NAME) -> None:
    """Ids of everybody of exactly this name."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        rows = [{"id": found} for found in find_by_name(unit, house.vault, name)]
    context.voice.table("People", ["id"], rows)


@commands.command()
def show(
    ctx: typer.Context,
    name: str = NAME,
    purpose: str = typer.Option(help="Why you look; it is written down."),
) -> None:
    """What is held of a person. The look enters that person's own ledger."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        view = view_person(unit, house.vault, person_of(house, unit, name), purpose=purpose)
    person = view.person
    facts = {
        "id": person.id,
        "name": view.name,
        "kind": person.kind,
        "basis": person.basis,
        "notice": person.notice_version,
        "face": person.has_face,
        "added_at": person.added_at,
        "valid_until": person.valid_until,
        "suspended": person.suspended,
    }
    context.voice.table("Person", list(facts), [facts])


@commands.command()
def card(
    ctx: typer.Context, name: str = NAME, number: str = typer.Argument(help="The card's number.")
) -> None:
    """Give a card: the equal path for whoever wants no face enrolled."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        made = add_card(unit, house.vault, person_of(house, unit, name), number)
    context.voice.answer({"card": made}, "The card works from now on.")


@commands.command()
def qr(
    ctx: typer.Context,
    name: str = NAME,
    out: Path = typer.Option(help="Where to write the picture (.svg or .png)."),
) -> None:
    """Draw a fresh QR code; codes drawn before stop working."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        token = issue_qr(unit, house.vault, person_of(house, unit, name))
    segno.make(token, error="m").save(str(out), scale=8)
    context.voice.answer({"written": str(out)}, f"The code is in {out}: hand it over and delete the file.")


@commands.command()
def pin(ctx: typer.Context, name: str = NAME) -> None:
    """Set a PIN, asked for twice and never shown."""
    context = context_of(ctx)
    chosen = typer.prompt("PIN", hide_input=True, confirmation_prompt=True)
    with context.house() as house, house.unit() as unit:
        set_pin(unit, house.vault, person_of(house, unit, name), chosen)
    context.voice.answer({"pin": "set"}, "The PIN is set.")


@commands.command("withdraw-face")
def withdraw(ctx: typer.Context, name: str = NAME) -> None:
    """Forget a face at once; cards, codes and PINs keep working."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        withdraw_face(unit, house.recogniser, person_of(house, unit, name))
    context.voice.answer({"face": "forgotten"}, "The face is forgotten.")


@commands.command()
def forget(
    ctx: typer.Context,
    name: str = NAME,
    receipt: Path = typer.Option(None, help="Where to write the signed receipt."),
) -> None:
    """Erase a person for good: the key is destroyed, and a signed receipt says so."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        made = forget_person(unit, house.vault, person_of(house, unit, name))
    if receipt is not None:
        receipt.write_text(receipt_text(made))
    context.voice.answer({"erased": made.body["subject_id"], "key_id": made.key_id}, "Erased for good.")


Judged = tuple[Assessment, str]


def _judge(photo: Path) -> Judged:
    """One photo; a file that cannot be read is a refused photo, not the end."""
    try:
        return assess(load_image(photo)), ""
    except DoorwardError as error:
        return Assessment(FaceProblem.NO_FACE, None), str(error)


def _tell(context: Context, photos: list[Path], judged: list[Judged], made: Enrolment) -> None:
    rows = [
        {
            "photo": str(photos[verdict.number]),
            "accepted": verdict.accepted,
            "reason": judged[verdict.number][1] or verdict.reason,
        }
        for verdict in made.frames
    ]
    context.voice.table("Photos", ["photo", "accepted", "reason"], rows)
    good = sum(verdict.accepted for verdict in made.frames)
    sentence = f"Enrolled from {good} photos." if made.enrolled else made.reason
    if made.likely_same_as:
        sentence += " This face resembles somebody enrolled already: check that it is not the same person."
    facts = {"person": made.person_id, "enrolled": made.enrolled, "reason": made.reason}
    context.voice.answer(facts | {"likely_same_as": list(made.likely_same_as)}, sentence)
