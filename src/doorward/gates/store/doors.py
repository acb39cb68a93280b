"""How each door stands, and how far each agent's journal is held."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gates.model import DoorState, DoorStatus
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class DoorRow(Base):
    __tablename__ = "gate_doors"

    door_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    leaf: Mapped[str] = mapped_column(String(12))
    tampered: Mapped[bool]
    offline: Mapped[bool]
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    may_open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    spent_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AgentRow(Base):
    """What the server knows of an agent's numbering and journal."""

    __tablename__ = "gate_agent_states"

    agent_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    up_to: Mapped[int]
    head: Mapped[bytes]
    door_sequence: Mapped[int]
    heard_at: Mapped[datetime] = mapped_column(UtcDateTime)
    policy_version: Mapped[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """How far an agent's journal is held, its last door message, and when it was last heard."""

    agent_id: str
    heard_at: datetime
    up_to: int = 0
    head: bytes = bytes(32)
    door_sequence: int = 0
    policy_version: int = 0


def find_doors(rows: Rows, site_id: str, door_ids: tuple[str, ...] | None = None) -> tuple[DoorState, ...]:
    """The doors of a site, or those named, that ever said anything."""
    query = select(DoorRow).where(DoorRow.site_id == site_id).order_by(DoorRow.door_id)
    if door_ids is not None:
        query = query.where(DoorRow.door_id.in_(door_ids))
    return tuple(
        DoorState(
            door_id=row.door_id,
            leaf=DoorStatus(row.leaf),
            tampered=row.tampered,
            offline=row.offline,
            opened_at=row.opened_at,
            may_open_until=row.may_open_until,
            told_at=row.told_at,
            spent_until=row.spent_until,
        )
        for row in rows.execute(query).scalars()
    )


def set_door(rows: Rows, site_id: str, state: DoorState) -> None:
    """Keep how a door stands."""
    facts = {
        "leaf": state.leaf.value,
        "tampered": state.tampered,
        "offline": state.offline,
        "opened_at": state.opened_at,
        "may_open_until": state.may_open_until,
        "told_at": state.told_at,
        "spent_until": state.spent_until,
    }
    here = (DoorRow.door_id == state.door_id, DoorRow.site_id == site_id)
    done = rows.execute(update(DoorRow).where(*here).values(**facts))
    if not getattr(done, "rowcount", 0):
        rows.add(DoorRow(door_id=state.door_id, site_id=site_id, **facts))
        rows.flush()


def find_agent_state(rows: Rows, agent_id: str) -> AgentState | None:
    """What is known of an agent."""
    row = rows.scalar(select(AgentRow).where(AgentRow.agent_id == agent_id))
    return row and _agent(row)


def list_agent_states(rows: Rows, site_id: str) -> list[AgentState]:
    """Every agent that was ever heard."""
    query = select(AgentRow).where(AgentRow.site_id == site_id)
    return [_agent(row) for row in rows.execute(query.order_by(AgentRow.agent_id)).scalars()]


def mark_online(rows: Rows, site_id: str, door_ids: Iterable[str]) -> list[str]:
    """Doors whose agent was silent and speaks again; which they were."""
    here = (DoorRow.site_id == site_id, DoorRow.door_id.in_(sorted(door_ids)), DoorRow.offline)
    found = list(rows.execute(select(DoorRow.door_id).where(*here)).scalars())
    if found:
        rows.execute(update(DoorRow).where(*here).values(offline=False))
    return found


def set_agent_state(rows: Rows, site_id: str, state: AgentState) -> None:
    """Keep what is known of an agent."""
    facts = {
        "up_to": state.up_to,
        "head": state.head,
        "door_sequence": state.door_sequence,
        "heard_at": state.heard_at,
        "policy_version": state.policy_version,
    }
    done = rows.execute(update(AgentRow).where(AgentRow.agent_id == state.agent_id).values(**facts))
    if not getattr(done, "rowcount", 0):
        rows.add(AgentRow(agent_id=state.agent_id, site_id=site_id, **facts))
        rows.flush()


def _agent(row: AgentRow) -> AgentState:
    return AgentState(
        agent_id=row.agent_id,
        heard_at=row.heard_at,
        up_to=row.up_to,
        head=bytes(row.head),
        door_sequence=row.door_sequence,
        policy_version=row.policy_version,
    )
