"""`doorward lock`, `unlock`, `lockdown`, `evacuate`, `release`, ...: staff step in, above the rules."""

import typer

from doorward.app.commands.finding import EVERYWHERE, gate_of, pick, plan_of, subject_of, zone_id_of
from doorward.app.commands.moments import WHEN_HELP, moment_of
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of
from doorward.app.house import House
from doorward.core.errors import Invalid, NotFound
from doorward.gates.model import Gate, Order, Plan, Reason, Verb, Zone
from doorward.gates.service import (
    Cause,
    give_order,
    open_now,
    orders_in_force,
    place_by_hand,
)
from doorward.gates.service import forgive as pardon
from doorward.gates.service import release as end_order
from doorward.platform.db import Unit

WHERE = typer.Argument(help="A gate, a zone (the gates into and out of it), or everywhere.")
SITE_OR = typer.Argument("everywhere", help="A gate or a zone; the whole site if left out.")
REASON = typer.Option(help="Why, from the list; it is written down.")
TICKET = typer.Option("", help="The number of a ticket; never a name.")
UNTIL = typer.Option(None, help="When it ends by itself: " + WHEN_HELP + " Else it holds until released.")
SAYS = {
    Verb.LOCK: "Locked: every way in is shut, ways out open.",
    Verb.UNLOCK: "Unlocked: anybody may pass.",
    Verb.LOCKDOWN: "Lockdown: every way in is shut against everybody, ways out open.",
    Verb.EVACUATION: "Evacuation: everything opens.",
    Verb.FIRE: "Fire release: everything opens, whatever else holds.",
}


def lock(
    ctx: typer.Context,
    where: str = WHERE,
    reason: Reason = REASON,
    ticket: str = TICKET,
    until: str = UNTIL,
) -> None:
    """Shut a way in until released or --until; grants do not open it, ways out stay open.

    Example: doorward lock front --reason maintenance --ticket T-1042
    """
    _give(ctx, Verb.LOCK, where, reason, ticket, until)


def unlock(
    ctx: typer.Context,
    where: str = WHERE,
    reason: Reason = REASON,
    ticket: str = TICKET,
    until: str = UNTIL,
) -> None:
    """Let anybody pass until released or --until.

    Example: doorward unlock front --reason delivery --until +30m
    """
    _give(ctx, Verb.UNLOCK, where, reason, ticket, until)


def lockdown(
    ctx: typer.Context,
    where: str = SITE_OR,
    reason: Reason = REASON,
    ticket: str = TICKET,
    until: str = UNTIL,
) -> None:
    """Shut every way in against everybody: beats schedules, grants and unlocking. Ways out stay open.

    Example: doorward lockdown --reason threat

    Example: doorward lockdown labs --reason drill
    """
    _give(ctx, Verb.LOCKDOWN, where, reason, ticket, until)


def evacuate(ctx: typer.Context, where: str = SITE_OR, reason: Reason = REASON, ticket: str = TICKET) -> None:
    """Open everything, so that everybody gets out; only a lockdown keeps ways in shut.

    Example: doorward evacuate --reason emergency-services
    """
    _give(ctx, Verb.EVACUATION, where, reason, ticket)


def fire(ctx: typer.Context, where: str = SITE_OR, reason: Reason = REASON, ticket: str = TICKET) -> None:
    """Open everything as the fire panel would: beats a lockdown.

    Example: doorward fire --reason drill
    """
    _give(ctx, Verb.FIRE, where, reason, ticket)


def release(
    ctx: typer.Context,
    what: str = typer.Argument(help="An order's id, a verb such as lockdown, a gate or zone, or everything."),
    reason: Reason = REASON,
    ticket: str = TICKET,
) -> None:
    """End orders: one by its id, all of a verb, all at a gate or zone, or everything.

    Example: doorward release lockdown --reason drill
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
        in_force = orders_in_force(unit, house.post)
        ending = [one for one in in_force if what == "everything" or what in _words(plan, one)]
        if not ending:
            known = ", ".join(f"{one.verb} {_place(plan, one)}" for one in in_force) or "none"
            raise NotFound(f"No such order is in force. In force: {known}.")
        for one in ending:
            end_order(unit, house.post, one.id, Cause(reason=reason, reference=ticket))
    for one in ending:
        facts = {"released": one.id, "verb": one.verb, "where": _place(plan, one)}
        context.voice.answer(facts, f"Ended: {one.verb} {_place(plan, one)}.")


def orders(ctx: typer.Context) -> None:
    """Orders in force, which stand above the rules.

    Example: doorward orders
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan, in_force = plan_of(house, unit), orders_in_force(unit, house.post)
    rows = [
        {
            "verb": one.verb,
            "where": _place(plan, one),
            "reason": one.reason,
            "ticket": one.reference,
            "since": one.since,
            "until": one.until,
            "by": one.by,
            "order": one.id,
        }
        for one in in_force
    ]
    columns = ["verb", "where", "since", "until", "by", "ticket", "order", "reason"]
    context.voice.table("Orders in force", columns, rows, none="No order is in force: the rules decide.")


def open_gate(
    ctx: typer.Context,
    gate: str = typer.Argument(help="The gate's name or id."),
    reason: Reason = REASON,
    ticket: str = TICKET,
) -> None:
    """Open a gate once, on your word: the agent beside it must be running and fetches the permit.

    Example: doorward open front --reason visitor
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        cause = Cause(reason=reason, reference=ticket)
        passage = open_now(unit, house.post, gate_of(house, unit, gate).id, cause)
        seconds = house.post.permit_seconds
    facts = {"passage": passage.id, "valid_seconds": seconds}
    context.voice.answer(facts, f"Permitted: the agent has {seconds} seconds to fetch it.")


def forgive(
    ctx: typer.Context,
    who: str = typer.Argument(
        help=f"A person's name, a plate or an id; or everybody. {DASH}", callback=unseen
    ),
    reason: Reason = REASON,
) -> None:
    """Let the next passage of one, or of everybody, stand outside anti-passback.

    Example: doorward forgive "Ada Example" --reason forgotten-credential
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        subject = None if who == "everybody" else subject_of(house, unit, who)
        count = pardon(unit, house.post, subject, reason=reason)
    context.voice.answer({"forgiven": count, "subject": subject}, f"Forgiven: {count}.")


def place(
    ctx: typer.Context,
    who: str = typer.Argument(help=f"A person's name, a plate or an id. {DASH}", callback=unseen),
    zone: str = typer.Argument(help="The zone they really are in, or outside."),
    reason: Reason = REASON,
) -> None:
    """Correct where somebody counts as being.

    Example: doorward place "Ada Example" outside --reason forgotten-credential
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        subject, zone_id = subject_of(house, unit, who), zone_id_of(house, unit, zone)
        place_by_hand(unit, house.post, subject, zone_id, reason=reason)
    context.voice.answer({"subject": subject, "zone": zone_id}, f"Counts as being in {zone} from now on.")


def _give(
    ctx: typer.Context, verb: Verb, where: str, reason: Reason, ticket: str, until: str | None = None
) -> None:
    context = context_of(ctx)
    with context.site() as (house, unit):
        gate_id, zone_id = _where(house, unit, where)
        cause = Cause(reason=reason, reference=ticket)
        ends = moment_of(until, context.voice.zone, unit.now, is_end=True)
        order = give_order(unit, house.post, verb, cause, gate_id=gate_id, zone_id=zone_id, until=ends)
        place_name = _place(plan_of(house, unit), order)
    holds = "until released" if ends is None else f"until {context.voice.shown(ends)}, or until released"
    lines = [f"{SAYS[verb]} ({place_name})", f"It holds {holds}: doorward release {order.id}"]
    if verb is Verb.EVACUATION:
        lines.append("Who is still inside: doorward rollcall start")
    facts = {"order": order.id, "verb": verb, "where": place_name, "since": order.since, "until": ends}
    context.voice.answer(facts, "\n".join(lines))


def _where(house: House, unit: Unit, word: str) -> tuple[str | None, str | None]:
    """Gate id and zone id; neither for the whole site."""
    if word in EVERYWHERE:
        return None, None
    plan = plan_of(house, unit)
    both: list[Gate | Zone] = [*plan.gates.values(), *plan.zones.values()]
    if len({type(one) for one in both if one.name == word}) > 1:
        raise Invalid(f"A gate and a zone are both called {word}: use the id.")
    found = pick("gate", word, both)
    return (found.id, None) if isinstance(found, Gate) else (None, found.id)


def _words(plan: Plan, order: Order) -> set[str | None]:
    """By what an order may be called."""
    return {order.id, order.verb.value, order.gate_id, order.zone_id, _place(plan, order)}


def _place(plan: Plan, order: Order) -> str:
    if order.gate_id is not None:
        return plan.gates[order.gate_id].name if order.gate_id in plan.gates else order.gate_id
    if order.zone_id is not None:
        return plan.zones[order.zone_id].name if order.zone_id in plan.zones else order.zone_id
    return "everywhere"
