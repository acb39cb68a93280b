"""`doorward gate ...`, `grant`, `vehicle ...`, `events`: ways in, who may use them, and who did."""

import typer

from doorward.app.commands.finding import gate_of, holder_of
from doorward.app.context import context_of
from doorward.core.ids import new_id
from doorward.gates.model import VEHICLE_RULE, Direction, Effect, Gate, Grant, Identification
from doorward.gates.rules.factors import parse_factors, write_factors
from doorward.gates.service import Wanted, list_passages, set_piece
from doorward.gates.service import grant as make_grant
from doorward.people.service import add_vehicle, forget_vehicle, list_vehicles
from doorward.platform.paging import page_request

gate_commands = typer.Typer(no_args_is_help=True, help="Gates: doors for people and lanes for vehicles.")
vehicle_commands = typer.Typer(no_args_is_help=True, help="Vehicles known by their plate.")


@gate_commands.command("add")
def add_gate(
    ctx: typer.Context,
    name: str = typer.Argument(help="What you will call it, such as front."),
    factors: str = typer.Option(
        "card + face | qr + face | card + pin | qr + pin",
        help="What it asks for: + for and, | for or; of face, card, qr, pin, plate.",
    ),
    lane: bool = typer.Option(False, "--lane", help="A lane for vehicles: asks for the plate."),
    out: bool = typer.Option(False, "--exit", help="A way out: it is never refused to people."),
    one_to_many: bool = typer.Option(
        False, "--one-to-many", help="Look a face up among everybody instead of verifying a card or code."
    ),
    one_in: int = typer.Option(None, help="The promise: at most one wrong opening in so many passages."),
    frames: int = typer.Option(3, help="How many frames must agree; 1 lets a single photo count."),
) -> None:
    """Add a gate. The default asks for a card or code and then the face or the PIN of whoever holds it."""
    context = context_of(ctx)
    gate = Gate(
        id=new_id("gate"),
        name=name,
        direction=Direction.OUT if out else Direction.IN,
        factors=VEHICLE_RULE if lane else parse_factors(factors),
        identification=Identification.ONE_TO_MANY if one_to_many else None,
        one_in=one_in,
        least_frames=frames,
    )
    with context.house() as house, house.unit() as unit:
        set_piece(unit, house.post, gate)
    asks = write_factors(gate.factors)
    context.voice.answer({"gate": gate.id, "name": name, "factors": asks}, f"Gate {name} asks for: {asks}.")


@gate_commands.command("list")
def list_gates(ctx: typer.Context) -> None:
    """Every gate of the site."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        gates = house.post.plans.plan_of(unit).gates.values()
    rows = [
        {"id": g.id, "name": g.name, "direction": g.direction, "asks_for": write_factors(g.factors)}
        for g in gates
    ]
    context.voice.table("Gates", ["id", "name", "direction", "asks_for"], rows)


def grant(
    ctx: typer.Context,
    who: str = typer.Argument(help="A person's name, a plate, a group or an id."),
    gate: str = typer.Argument(help="The gate's name or id."),
    deny: bool = typer.Option(False, "--deny", help="Keep them out instead."),
) -> None:
    """Let somebody through a gate at any hour (schedules are set over the API)."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        wanted = Grant(
            id="",
            holder_id=holder_of(house, unit, who),
            target_id=gate_of(house, unit, gate).id,
            effect=Effect.DENY if deny else Effect.ALLOW,
        )
        made = make_grant(unit, house.post, wanted)
    context.voice.answer({"grant": made.id}, "Kept out." if deny else "Granted.")


@vehicle_commands.command("add")
def add(ctx: typer.Context, plate: str = typer.Argument(help="The plate, in any spelling.")) -> None:
    """Register a vehicle by its plate."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        vehicle = add_vehicle(unit, house.vault, plate)
    context.voice.answer({"vehicle": vehicle.id}, "The vehicle is registered; grant it a lane next.")


@vehicle_commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Vehicles by id; plates are shown to those who state a purpose, over the API."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        found = list_vehicles(unit, page_request(limit=200))
    rows = [{"id": v.id, "added_at": v.added_at, "suspended": v.suspended} for v in found]
    context.voice.table("Vehicles", ["id", "added_at", "suspended"], rows)


@vehicle_commands.command("forget")
def forget(ctx: typer.Context, plate: str = typer.Argument(help="The plate or the id.")) -> None:
    """Erase a vehicle for good."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        receipt = forget_vehicle(unit, house.vault, holder_of(house, unit, plate))
    context.voice.answer({"erased": receipt.body["subject_id"]}, "Erased for good.")


def events(
    ctx: typer.Context,
    gate: str = typer.Option(None, help="Only this gate's."),
    limit: int = typer.Option(20, help="How many, newest first (200 at most)."),
) -> None:
    """What happened at the gates, newest first. The look is written down."""
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        gates = {g.id: g.name for g in house.post.plans.plan_of(unit).gates.values()}
        gate_id = gate_of(house, unit, gate).id if gate else None
        found = list_passages(unit, Wanted(gate_id=gate_id), page_request(limit=limit))[:limit]
    rows = [
        {
            "at": one.passage.decided_at,
            "gate": gates.get(one.passage.gate_id, one.passage.gate_id),
            "state": one.passage.state,
            "because": one.passage.because,
            "subject": one.passage.subject_id,
            "passage": one.passage.id,
        }
        for one in found
    ]
    context.voice.table("Passages", ["at", "gate", "state", "because", "subject", "passage"], rows)
