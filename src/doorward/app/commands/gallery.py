"""`doorward gallery ...`: how the encrypted search stands, and what keeps it whole."""

import time

import typer

from doorward.app.commands.alone import note_deed
from doorward.app.context import Context, context_of
from doorward.app.house import CONSOLE, House
from doorward.core.errors import Unavailable
from doorward.gallery import service
from doorward.gallery.model import Standing
from doorward.people.model.approvals import Action

commands = typer.Typer(
    no_args_is_help=True,
    help="The gallery of enrolled faces, which is kept and searched encrypted (docs/operate/gallery.md).",
)
LOOKS_EVERY = 0.2
STALLED = "No server goes on with the renewal: start one, or do it here with `doorward gallery renew`."
STOPPED = "Stopped. What was renewed stays so: repeat the command, or leave the rest to the running server."
COPIES = (
    "Copies of the database from before, and today's keys, open the former gallery until the ratchet turns: "
    "doorward keys ratchet"
)
UNTRUSTED = (
    "An answer of the matcher failed its check, and nobody's face is looked for since. Find out why, then: "
    "doorward gallery trust"
)


@commands.command()
def show(ctx: typer.Context) -> None:
    """Faces, blocks, bytes, how old its secret rotation is, whether the matcher is trusted. Nobody is named.

    `waiting` blocks still hold somebody who was forgotten, whom no search finds any more.

    Example: doorward gallery show
    """
    context = context_of(ctx)
    with context.house() as house:
        found = _standing(house)
        age = house.database.clock() - found.made_at if found.made_at else None
    facts = {
        "gallery": found.id,
        "scheme": found.scheme,
        "faces": found.faces,
        "blocks": found.blocks,
        "bytes": found.bytes,
        "waiting": found.waiting,
        "made_at": found.made_at,
        "days": age.days if age is not None else None,
        "trusted": found.distrusted_at is None,
        "distrusted_at": found.distrusted_at,
        "renewing": found.rekeying,
        "renewed": found.renewed,
    }
    context.voice.card("Gallery", facts)
    if found.distrusted_at is not None:
        context.voice.aside(UNTRUSTED)


@commands.command()
def renew(
    ctx: typer.Context,
    wait: bool = typer.Option(
        False, "--wait", help="Leave the work to the running server, and wait until it is done."
    ),
    patience: float = typer.Option(
        60.0, "--patience", min=0, help="With --wait: for how many seconds without any progress."
    ),
) -> None:
    """Seal everybody anew under a new rotation and new secrets; then the old keys go. May be stopped.

    For a suspected theft, or by habit. Gates search the old gallery until the new one takes its place; nobody
    has to come to a camera. A renewal that was stopped goes on. Over REST this takes two people. It does not
    make a matcher trusted that was not.

    Example: doorward gallery renew
    """
    context = context_of(ctx)
    with context.house() as house, context.stoppable(STOPPED):
        before = _standing(house)
        if not before.rekeying:
            with house.unit() as unit:
                if before.id is not None:
                    note_deed(unit, Action.RENEW_GALLERY, {"gallery": before.id})
                service.begin_rekey(unit, house.keyholder)
        elif wait:
            with house.unit() as unit:  # the server may have given up
                service.go_on_by_job(unit, house.keyholder)
        _follow(context, house, patience=patience if wait else None)
        after = _standing(house)
    said = f"{after.faces} faces lie under new secrets, and the keys of the former gallery are destroyed."
    context.voice.answer({"former": before.id, "gallery": after.id, "faces": after.faces}, said)
    context.voice.aside(COPIES)


@commands.command()
def trust(ctx: typer.Context) -> None:
    """Ask the matcher again after a forged answer. Reads every block anew first, and mends what is damaged.

    Do it once you know why the answer was wrong: a bad disk or memory, or somebody at the matcher who wanted
    a gate to open. Until then no face opens anything; card and PIN do. Over REST this takes two people.

    Example: doorward gallery trust
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = service.standing(unit)
        if found.id is not None and found.distrusted_at is not None:
            note_deed(unit, Action.TRUST_MATCHER, {"gallery": found.id})
        mended = service.trust_again(unit, house.keyholder)
    said = f"The matcher is asked again. {mended} of {found.blocks} blocks were damaged and are made anew."
    context.voice.answer({"gallery": found.id, "blocks": found.blocks, "mended": mended}, said)


@commands.command()
def check(ctx: typer.Context) -> None:
    """Read every block, prove it by its name and its seal, and make anew whatever fails. Gates go on.

    The name of a block is the SHA-256 of what is in it. What is damaged is made from the sealed templates.

    Example: doorward gallery check
    """
    context = context_of(ctx)
    with context.house() as house:
        with house.database.reading(CONSOLE, house.site_id) as unit:
            kept = service.list_kept(unit)
            unsound = [
                one
                for one in context.each("Blocks", kept)
                if not service.is_sound(unit, house.keyholder, one)
            ]
        with house.unit() as unit:
            mended = service.mend(unit, house.keyholder, unsound, checked=len(kept))
    said = f"{len(kept)} blocks were read; {mended} were damaged and are made anew."
    context.voice.answer({"blocks": len(kept), "mended": mended}, said)


@commands.command()
def sweep(ctx: typer.Context) -> None:
    """Delete blocks that were replaced over ten minutes ago and open for nobody. Servers do it each hour.

    Example: doorward gallery sweep
    """
    context = context_of(ctx)
    with context.everywhere() as (house, unit):
        swept = service.sweep_blocks(unit, house.keyholder)
    context.voice.answer({"blocks": swept}, f"{swept} blocks that nobody needs were deleted.")


def _standing(house: House) -> Standing:
    with house.database.reading(CONSOLE, house.site_id) as unit:
        return service.standing(unit)


def _follow(context: Context, house: House, *, patience: float | None) -> None:
    """Until the renewal is done, here or (with patience) by the running server, with a bar."""
    found = _standing(house)
    done, moved_at = found.renewed, time.monotonic()
    with context.voice.bar("Faces", found.faces) as bar:
        for _ in range(done):
            bar.step()
        while found.rekeying:
            if patience is None:
                with house.unit() as unit:
                    service.go_on(unit, house.keyholder)
            else:
                time.sleep(LOOKS_EVERY)
            found = _standing(house)
            for _ in range(done, found.renewed):
                bar.step()
            if found.renewed > done:
                done, moved_at = found.renewed, time.monotonic()
            elif patience is not None and time.monotonic() - moved_at > patience:
                raise Unavailable(STALLED)
    if patience is None:
        _clear(house)


def _clear(house: House) -> None:
    """Forget the rows of the gallery that was replaced, a part at a time."""
    is_clear = False
    while not is_clear:
        with house.unit() as unit:
            is_clear = service.clear_retired(unit)
