"""`doorward keys ...`: how every key stands, and changing each of them while all goes on."""

from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from doorward.app.commands.alone import note_deed
from doorward.app.context import Context, context_of
from doorward.app.custody import next_custodian
from doorward.app.house import CONSOLE, House
from doorward.app.keepers import keepers_of
from doorward.core.encoding import to_text
from doorward.core.errors import Invalid, NotFound
from doorward.core.permissions import EVERY_SITE
from doorward.people.model.approvals import Action
from doorward.people.service import forget_erased
from doorward.vault.model import KeyName, KeyState, Purpose, Use
from doorward.vault.rules import LINGERS, WRAPPING
from doorward.vault.service import (
    Restorer,
    Rotation,
    adopt_key_set,
    begin_rotation,
    finish_rotation,
    half_done,
    keep_key_set,
    rotate_database_key,
    rotate_root,
    survey,
)

commands = typer.Typer(
    no_args_is_help=True, help="Keys: see how they stand, and change them all while running."
)
SHOWN = ["key", "generations", "made_at", "days", "left", "can_rotate"]
STOPPED = "Stopped. What was moved stays moved: repeat the command, or leave the rest to the running server."
NOTICES = {
    Purpose.GATES: "Restart the server, which signs with the new key from then on. Agents follow by "
    "themselves if they reach it within 30 days; later, write the new key (doorward keys public gates) into "
    "gate.toml. If the old key was stolen, do that at once, and without the old one.",
    Purpose.DECIDER: "A decider elsewhere keeps the key it was given: put the new one (doorward keys public "
    "decider) into deciding.servers of its doorward.toml and restart it; until then it answers nothing. Was "
    "this a decider's own key, put what `doorward-decider key` shows into decider.public_key of the server.",
    Purpose.MATCHER: "A matcher on another machine keeps the key it was given: put the new one (doorward "
    "keys public matcher) into deciders of its matcher.toml and restart it; until then it answers no search.",
}


@commands.command()
def show(ctx: typer.Context) -> None:
    """Every key: live generations, age, what still lies under older ones. Never a key.

    Example: doorward keys show
    """
    context = context_of(ctx)
    with context.house() as house, house.database.reading(CONSOLE, EVERY_SITE) as unit:
        keepers = keepers_of(house.vault)
        states = survey(unit, house.vault, keepers.movers, keepers.counters)
        rows = [_facts(state, house) for state in states]
        root = house.vault.ring.custodian
    context.voice.table(f"Keys (the root key is kept by {root})", SHOWN, rows)


@commands.command()
def rotate(
    ctx: typer.Context,
    keys: list[str] = typer.Argument(None, help="Keys as `keys show` names them, such as seal.staff."),
    everything: bool = typer.Option(
        False, "--all", help="All of them, the database file too; not the root, and not sign.gates."
    ),
) -> None:
    """Replace keys: rows move to the new one in batches, then the old one is destroyed. May be stopped.

    Example: doorward keys rotate seal.staff blind.blind-plate
    """
    context = context_of(ctx)
    if everything and keys:
        raise Invalid("Name keys, or say --all, one of both.")
    with context.house() as house, context.stoppable(STOPPED):
        names = _all_names(house) if everything else [_name_of(house, word) for word in keys or ()]
        if not names:
            raise Invalid("Name the keys to rotate, as `doorward keys show` does, or say --all.")
        for name in names:
            if name.use is Use.OPEN:
                _tell_rekeyed(context, rotate_database_key(house.database, house.vault, actor=CONSOLE))
            else:
                _tell(context, _rotated(context, house, name))


@commands.command()
def ratchet(ctx: typer.Context) -> None:
    """Make every older copy of the database useless without today's key set, which is written by the ring.

    Example: doorward keys ratchet
    """
    context = context_of(ctx)
    with context.house() as house, context.stoppable(STOPPED):
        for purpose in WRAPPING:
            _tell(context, _rotated(context, house, KeyName(Use.WRAP, purpose)))
    context.voice.aside(
        "Now replace every copy of the keys folder: it holds the new ring and the new key set."
    )


@commands.command()
def finish(ctx: typer.Context) -> None:
    """Go on with every rotation that was stopped half way (a running server does so by itself).

    Example: doorward keys finish
    """
    context = context_of(ctx)
    with context.house() as house, context.stoppable(STOPPED):
        waiting = half_done(house.vault, house.database.clock())
        for name in waiting:
            if name.use is Use.OPEN:
                _tell_rekeyed(context, rotate_database_key(house.database, house.vault, actor=CONSOLE))
            else:
                _tell(context, _finished(context, house, name))
    if not waiting:
        context.voice.answer({"half_done": 0}, "No rotation is half done.")


@commands.command()
def rekey(ctx: typer.Context) -> None:
    """Encrypt the database file anew under a fresh key, while it is open.

    Example: doorward keys rekey
    """
    context = context_of(ctx)
    with context.house() as house:
        _tell_rekeyed(context, rotate_database_key(house.database, house.vault, actor=CONSOLE))


@commands.command()
def root(
    ctx: typer.Context,
    new_file: Path = typer.Option(
        None, help="A key file that is yet to be made, on the media of your choice."
    ),
    new_passphrase: bool = typer.Option(False, "--new-passphrase", help="Ask for a passphrase, twice."),
) -> None:
    """Put the key ring under another root key. Without options a fresh key takes the key file's place.

    Example: doorward keys root --new-passphrase
    """
    context = context_of(ctx)
    if new_file is not None and new_passphrase:
        raise Invalid("Choose one: --new-file or --new-passphrase.")
    phrase = context.voice.ask_unseen("New passphrase", twice=True) if new_passphrase else None
    with context.house() as house:
        custodian = next_custodian(house.settings, house.vault, passphrase=phrase, file=new_file)
        kept_by = {"custodian": "file" if phrase is None else "passphrase"}
        with house.database.unit(CONSOLE, EVERY_SITE) as unit:
            note_deed(unit, Action.ROTATE_ROOT, kept_by | {"ring": house.vault.ring.read().ring_id})
        rotate_root(house.database, house.vault, custodian, actor=CONSOLE)
        facts = {"custodian": house.vault.ring.custodian, "ring": house.vault.ring.read().ring_id}
    context.voice.answer(facts, "The ring is under the new root key; the old one opens nothing any more.")
    if new_file is not None or new_passphrase:
        named = "DOORWARD_KEYS__PASSPHRASE" if new_passphrase else f"DOORWARD_KEYS__FILE={new_file}"
        context.voice.aside(f"Before the next start set {named}, and take the former setting away.")


@commands.command()
def public(
    ctx: typer.Context, purpose: Purpose = typer.Argument(help="Whose: audit, vault, gates ...")
) -> None:
    """The public keys that check signatures: of the log (audit), of receipts (vault), of permits (gates).

    Example: doorward keys public vault
    """
    context = context_of(ctx)
    with context.house() as house:
        rows = [
            {"key_id": one, "public": raw.hex(), "text": to_text(raw)}
            for one, raw in house.vault.public_keys(purpose).items()
        ]
    context.voice.table(f"Public keys of {purpose}", ["key_id", "public", "text"], rows)


@commands.command("key-set")
def key_set(ctx: typer.Context) -> None:
    """Write today's key set beside the ring: a copy of the keys folder then opens older copies of the data.

    Example: doorward keys key-set
    """
    context = context_of(ctx)
    with context.everywhere() as (house, unit):
        place = keep_key_set(unit, house.vault)
    context.voice.answer({"written": str(place)}, f"The key set is in {place}: keep it with the ring.")


@commands.command()
def adopt(
    ctx: typer.Context,
    file: Path = typer.Argument(help="The newest key set, such as keys/keyset.sealed."),
) -> None:
    """After a copy of the database was restored: open the living, and forget who was erased since.

    Example: doorward keys adopt site/keys/keyset.sealed
    """
    context = context_of(ctx)
    with context.everywhere() as (house, unit):
        adopted = adopt_key_set(unit, house.vault, _read(file))
        forget_erased(unit, house.recogniser.matcher, adopted.sites)
    with context.house() as house:
        restorer = Restorer()
        while restorer.look(house.database, house.vault, keepers_of(house.vault).movers):
            pass
    facts = {"fitted": adopted.fitted, "erased": list(adopted.erased)}
    said = (
        f"{adopted.fitted} people and vehicles open again; {len(adopted.erased)} were erased since the copy."
    )
    context.voice.answer(facts, said)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFound("There is no such key set: the newest lies beside the ring, keyset.sealed.") from error


def _rotated(context: Context, house: House, name: KeyName) -> Rotation:
    begin_rotation(house.database, house.vault, name, keepers_of(house.vault).movers, actor=CONSOLE)
    return _finished(context, house, name)


def _finished(context: Context, house: House, name: KeyName) -> Rotation:
    keepers, database = keepers_of(house.vault), house.database
    counter = keepers.counters.get(name)
    with database.reading(CONSOLE, EVERY_SITE) as unit:
        total = counter(unit) if counter else 0
    with context.voice.bar(str(name), total) as bar:
        return finish_rotation(
            database, house.vault, name, keepers.movers, actor=CONSOLE, watch=_stepping(bar.step)
        )


def _stepping(step: Callable[[], None]) -> Callable[[int], None]:
    def watch(moved: int) -> None:
        for _ in range(moved):
            step()

    return watch


def _tell(context: Context, done: Rotation) -> None:
    facts = {"key": str(done.name), "generation": done.generation, "moved": done.moved}
    context.voice.answer(facts, f"{done.name} is at generation {done.generation}; {done.moved} rows moved.")
    if done.name in LINGERS:
        context.voice.aside(NOTICES[done.name.purpose])


def _tell_rekeyed(context: Context, generation: int) -> None:
    said = f"The database file is encrypted anew (generation {generation})."
    context.voice.answer({"key": "open.database", "generation": generation}, said)


def _all_names(house: House) -> Sequence[KeyName]:
    """The file's key last: it holds everything up while it changes."""
    names = [name for name in sorted(house.vault.ring.read().keys) if name not in LINGERS]
    file = [name for name in names if name.use is Use.OPEN]
    is_ours = house.database.engine.dialect.name == "sqlite"
    return [name for name in names if name.use is not Use.OPEN] + (file if is_ours else [])


def _name_of(house: House, word: str) -> KeyName:
    for name in house.vault.ring.read().keys:
        if str(name) == word:
            return name
    raise Invalid(f"There is no key {word}: `doorward keys show` names them.")


def _facts(state: KeyState, house: House) -> dict[str, object]:
    age = house.database.clock() - state.made_at if state.made_at else None
    return {
        "key": str(state.name),
        "generations": list(state.generations),
        "made_at": state.made_at,
        "days": age.days if age is not None else None,
        "left": state.left,
        "can_rotate": state.movable,
    }
