"""`doorward vehicle ...`: vehicles known by their plate."""

import typer

from doorward.app.commands.alone import note_looks, note_many
from doorward.app.commands.finding import everything, person_of, plan_of, vehicle_of
from doorward.app.commands.moments import WHEN_HELP, moment_of
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of
from doorward.people.model import Listing
from doorward.people.model.approvals import Action
from doorward.people.service import (
    add_vehicle,
    forget_vehicle,
    list_vehicle,
    list_vehicles,
    suspend,
    view_vehicle,
)

commands = typer.Typer(no_args_is_help=True, help="Vehicles known by their plate.")
PLATE = typer.Argument(help=f"The plate in any spelling, or the id. {DASH}", callback=unseen)


@commands.command()
def add(
    ctx: typer.Context,
    plate: str = typer.Argument(help=f"The plate, in any spelling. {DASH}", callback=unseen),
    owner: str = typer.Option(None, help=f"The person it belongs to: name or id. {DASH}", callback=unseen),
    label: str = typer.Option(
        None, help=f"A word of your own, such as the fleet number; it is sealed. {DASH}", callback=unseen
    ),
    start: str = typer.Option(None, "--from", help="Not before: " + WHEN_HELP),
    until: str = typer.Option(None, help="Not after: " + WHEN_HELP),
    deny: bool = typer.Option(False, "--deny", help="Put it on the deny list: it never passes."),
) -> None:
    """Register a vehicle by its plate.

    Example: doorward vehicle add "KA 47 TRF" --owner "Ada Example"

    Example: doorward vehicle add "BA 777 XX" --deny

    Example: doorward vehicle add - --owner -
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        zone = plan_of(house, unit).hours.time_zone
        vehicle = add_vehicle(
            unit,
            house.vault,
            plate,
            owner_id=None if owner is None else person_of(house, unit, owner),
            label=label,
            valid_from=moment_of(start, zone, unit.now),
            valid_until=moment_of(until, zone, unit.now, is_end=True),
            listing=Listing.DENY if deny else Listing.ALLOW,
        )
    said = "It is on the deny list." if deny else "The vehicle is registered; grant it a lane next."
    context.voice.answer({"vehicle": vehicle.id, "listing": vehicle.listing}, said)


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Vehicles by id; `vehicle show` tells a plate to whoever states a purpose.

    Example: doorward vehicle list
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        rows = [
            {
                "id": one.id,
                "listing": one.listing,
                "suspended": one.suspended,
                "from": one.valid_from,
                "until": one.valid_until,
                "owner": one.owner_id,
                "added_at": one.added_at,
            }
            for one in everything(lambda page: list_vehicles(unit, page), lambda found: found.id)
        ]
    columns = ["id", "listing", "suspended", "from", "until", "owner", "added_at"]
    context.voice.table(
        "Vehicles", columns, rows, none="No vehicle yet: add one with `doorward vehicle add`."
    )


@commands.command()
def show(
    ctx: typer.Context,
    plate: str = PLATE,
    purpose: str = typer.Option(
        help="Why you look, as a short code such as guard-check; it is written down."
    ),
) -> None:
    """What is held of a vehicle, its plate included. The look enters its own ledger.

    Example: doorward vehicle show vehicle_n9ncmccrx14j6e2v --purpose guard-check
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        vehicle_id = vehicle_of(house, unit, plate)
        note_looks(house, unit, [vehicle_id])
        view = view_vehicle(unit, house.vault, vehicle_id, purpose=purpose)
    vehicle = view.vehicle
    facts = {
        "id": vehicle.id,
        "plate": view.plate,
        "label": view.label,
        "listing": vehicle.listing,
        "suspended": vehicle.suspended,
        "from": vehicle.valid_from,
        "until": vehicle.valid_until,
        "owner": vehicle.owner_id,
        "added_at": vehicle.added_at,
    }
    context.voice.card("Vehicle", facts)


@commands.command("suspend")
def suspend_vehicle(ctx: typer.Context, plate: str = PLATE) -> None:
    """Stop its passages until further notice.

    Example: doorward vehicle suspend "KA 47 TRF"
    """
    _suspend(ctx, plate, suspended=True)


@commands.command()
def resume(ctx: typer.Context, plate: str = PLATE) -> None:
    """Let a suspended vehicle pass again.

    Example: doorward vehicle resume "KA 47 TRF"
    """
    _suspend(ctx, plate, suspended=False)


@commands.command()
def deny(ctx: typer.Context, plate: str = PLATE) -> None:
    """Put a vehicle on the deny list: it never passes, whatever is granted.

    Example: doorward vehicle deny "KA 47 TRF"
    """
    _list(ctx, plate, Listing.DENY)


@commands.command()
def allow(ctx: typer.Context, plate: str = PLATE) -> None:
    """Take a vehicle off the deny list.

    Example: doorward vehicle allow "KA 47 TRF"
    """
    _list(ctx, plate, Listing.ALLOW)


@commands.command()
def forget(ctx: typer.Context, plate: str = PLATE) -> None:
    """Erase a vehicle for good.

    Example: doorward vehicle forget "KA 47 TRF"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        vehicle_id = vehicle_of(house, unit, plate)
        note_many(house, unit, Action.ERASE_VEHICLES, [vehicle_id])
        receipt = forget_vehicle(unit, house.vault, vehicle_id)
    context.voice.answer({"erased": receipt.body["subject_id"]}, "Erased for good.")


def _suspend(ctx: typer.Context, plate: str, *, suspended: bool) -> None:
    context = context_of(ctx)
    with context.site() as (house, unit):
        vehicle_id = vehicle_of(house, unit, plate)
        suspend(unit, vehicle_id, suspended=suspended)
    said = "It passes no gate until resumed." if suspended else "It passes again where it is granted."
    context.voice.answer({"vehicle": vehicle_id, "suspended": suspended}, said)


def _list(ctx: typer.Context, plate: str, listing: Listing) -> None:
    context = context_of(ctx)
    with context.site() as (house, unit):
        vehicle_id = vehicle_of(house, unit, plate)
        list_vehicle(unit, vehicle_id, listing)
    said = "It is on the deny list." if listing is Listing.DENY else "It is off the deny list."
    context.voice.answer({"vehicle": vehicle_id, "listing": listing}, said)
