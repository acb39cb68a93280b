"""`doorward agent ...`: the programs beside gates, known by their public keys."""

from dataclasses import replace

import typer

from doorward.app.commands.finding import agent_of, changed_gates, gate_of, plan_of, require_new
from doorward.app.context import context_of
from doorward.core.encoding import to_text
from doorward.core.ids import new_id
from doorward.gates.model import Agent
from doorward.gates.service import revoke_agent, set_piece

commands = typer.Typer(no_args_is_help=True, help="Agents: the programs beside gates, known by their keys.")
AGENT = typer.Argument(help="The agent's name or id.")


@commands.command()
def add(
    ctx: typer.Context,
    name: str = typer.Argument(help="What you will call it, such as front-box."),
    gates: list[str] = typer.Argument(help="The gates it may speak for."),
    key: str = typer.Option(help="Its public key, as `doorward-edge keygen` printed it."),
) -> None:
    """Register an agent by its public key; prints what its file must hold.

    Example: doorward agent add front-box front --key A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        require_new("agent", name, plan_of(house, unit).agents.values())
        found = [gate_of(house, unit, gate) for gate in gates]
        ids = tuple(gate.id for gate in found)
        agent = Agent(id=new_id("agent"), name=name, public_key=key, gate_ids=ids)
        set_piece(unit, house.post, agent)
        public = to_text(house.post.keys.public)
    lines = [
        f"Agent {name} is registered. Write into its file:",
        f'  agent_id = "{agent.id}"',
        *(f'  gate_id = "{gate.id}"  # {gate.name}, {gate.direction}' for gate in found),
        "  [server]",
        f'  site_id = "{house.site_id}"',
        f'  public_key = "{public}"',
        "It also needs an API key with the right gates:sight; see docs/operate/edge-agent.md.",
    ]
    facts = {"agent": agent.id, "gates": list(ids), "site": house.site_id, "server_public_key": public}
    context.voice.answer(facts, "\n".join(lines))


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Every agent of the site, those revoked as well.

    Example: doorward agent list
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
    rows = [
        {
            "name": one.name,
            "id": one.id,
            "revoked": one.revoked,
            "public_key": one.public_key,
            "gates": [plan.gates[gate].name if gate in plan.gates else gate for gate in one.gate_ids],
        }
        for one in plan.agents.values()
    ]
    none = "No agent yet: `doorward-edge keygen` makes a key, `doorward agent add` registers it."
    context.voice.table("Agents", ["name", "id", "revoked", "public_key", "gates"], rows, none=none)


@commands.command()
def change(
    ctx: typer.Context,
    agent: str = AGENT,
    name: str = typer.Option(None, help="A new name."),
    key: str = typer.Option(None, help="A new public key, as `doorward-edge keygen` printed it."),
    add_gate: list[str] = typer.Option(None, "--add", help="A gate to speak for; may be repeated."),
    drop_gate: list[str] = typer.Option(None, "--drop", help="A gate no more; may be repeated."),
) -> None:
    """Change what you name; the agent must hold the secret half of a new key at once.

    Example: doorward agent change front-box --add back
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = agent_of(house, unit, agent)
        if name is not None and name != found.name:
            require_new("agent", name, plan_of(house, unit).agents.values())
        ids = changed_gates(house, unit, found.gate_ids, add_gate or (), drop_gate or ())
        changed = replace(
            found,
            name=found.name if name is None else name,
            public_key=found.public_key if key is None else key,
            gate_ids=ids,
        )
        set_piece(unit, house.post, changed)
    facts = {"agent": found.id, "name": changed.name, "gates": list(ids)}
    context.voice.answer(facts, f"Agent {changed.name} speaks for {len(ids)} gates.")


@commands.command()
def revoke(ctx: typer.Context, agent: str = AGENT) -> None:
    """Stop listening to an agent, for good: its key is stolen, or the box is gone.

    Example: doorward agent revoke front-box
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        gone = revoke_agent(unit, house.post, agent_of(house, unit, agent).id)
    context.voice.answer({"revoked": gone.id}, f"Nothing that {gone.name} says counts any more.")
