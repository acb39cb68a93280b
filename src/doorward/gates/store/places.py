"""A site's plan: its rules, its pieces and the orders in force."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final, cast

from pydantic import TypeAdapter
from sqlalchemy import String, Table, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.core.errors import Conflict
from doorward.gates.model import (
    Agent,
    Effect,
    Gate,
    Grant,
    Level,
    Order,
    Piece,
    Reason,
    Schedule,
    SiteRules,
    Verb,
    Zone,
)
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime

ADAPTERS: Final[dict[str, TypeAdapter[Piece]]] = {
    "gate": TypeAdapter(Gate),
    "zone": TypeAdapter(Zone),
    "level": TypeAdapter(Level),
    "schedule": TypeAdapter(Schedule),
    "agent": TypeAdapter(Agent),
}
KINDS: Final = {Gate: "gate", Zone: "zone", Level: "level", Schedule: "schedule", Agent: "agent"}
RULES: Final = TypeAdapter(SiteRules)


class SiteRow(Base):
    """The version of a site's plan: a number drawn anew at each change, never reused after a roll-back."""

    __tablename__ = "gate_sites"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    rules: Mapped[str]


class PieceRow(Base):
    """One gate, zone, level, schedule or agent; always read together with the others."""

    __tablename__ = "gate_pieces"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(16))
    facts: Mapped[str]


class GrantRow(Base):
    __tablename__ = "gate_grants"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    holder_id: Mapped[str] = mapped_column(index=True)
    target_id: Mapped[str]
    effect: Mapped[str] = mapped_column(String(8))
    schedule_id: Mapped[str | None]
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_by: Mapped[str]


class OrderRow(Base):
    __tablename__ = "gate_orders"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    verb: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(32))
    reference: Mapped[str]
    gate_id: Mapped[str | None]
    zone_id: Mapped[str | None]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str]
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None]


def find_site(rows: Rows, site_id: str) -> tuple[int, SiteRules] | None:
    """The version and rules of a site that has been set up."""
    row = rows.scalar(select(SiteRow).where(SiteRow.site_id == site_id))
    return (row.version, RULES.validate_json(row.rules)) if row else None


def list_site_ids(rows: Rows) -> list[str]:
    """Every site that has been set up."""
    return list(rows.execute(select(SiteRow.site_id)).scalars())


def change_site(rows: Rows, site_id: str, rules: SiteRules) -> None:
    """Set the site's rules and draw a new version."""
    facts = RULES.dump_json(rules).decode()
    known = rows.scalar(select(SiteRow.version).where(SiteRow.site_id == site_id))
    if known is None:
        rows.add(SiteRow(site_id=site_id, version=_fresh(), rules=facts))
        rows.flush()
    else:
        change = update(SiteRow).where(SiteRow.site_id == site_id)
        rows.execute(change.values(version=_fresh(), rules=facts))


def mark_changed(rows: Rows, site_id: str) -> None:
    """Draw a new version, so that every process reads the plan anew."""
    rows.execute(update(SiteRow).where(SiteRow.site_id == site_id).values(version=_fresh()))


def list_pieces(rows: Rows, site_id: str) -> list[Piece]:
    """All gates, zones, levels, schedules and agents of a site, in the order of their ids."""
    found = rows.execute(
        select(PieceRow.kind, PieceRow.facts).where(PieceRow.site_id == site_id).order_by(PieceRow.id)
    )
    return [ADAPTERS[row.kind].validate_json(row.facts) for row in found]


def set_piece(rows: Rows, site_id: str, piece: Piece) -> None:
    """Add a piece or change the one of its id; `Conflict` if another site or kind has that id."""
    kind = KINDS[type(piece)]
    facts = ADAPTERS[kind].dump_json(piece).decode()
    held = rows.execute(select(PieceRow.site_id, PieceRow.kind).where(PieceRow.id == piece.id)).first()
    if held is None:
        rows.add(PieceRow(id=piece.id, site_id=site_id, kind=kind, facts=facts))
        rows.flush()
    elif tuple(held) == (site_id, kind):
        rows.execute(update(PieceRow).where(PieceRow.id == piece.id).values(facts=facts))
    else:
        raise Conflict("This id is taken by something else: choose another.")


def forget_piece(rows: Rows, site_id: str, piece_id: str) -> bool:
    """Erase a piece; whether there was one."""
    gone = delete(PieceRow).where(PieceRow.id == piece_id, PieceRow.site_id == site_id)
    return bool(getattr(rows.execute(gone), "rowcount", 0))


SITES = cast(Table, SiteRow.__table__)
_GRANTS = cast(Table, GrantRow.__table__)
_HELD = select(_GRANTS).where(
    _GRANTS.c.holder_id.in_(bindparam("holders", expanding=True)), _GRANTS.c.site_id == bindparam("site")
)
_VERSION = select(SITES.c.version).where(SITES.c.site_id == bindparam("site"))


def add_grant(rows: Rows, site_id: str, grant: Grant) -> None:
    """Keep a grant."""
    rows.add(
        GrantRow(
            id=grant.id,
            site_id=site_id,
            holder_id=grant.holder_id,
            target_id=grant.target_id,
            effect=grant.effect.value,
            schedule_id=grant.schedule_id,
            valid_from=grant.valid_from,
            valid_until=grant.valid_until,
            made_by=grant.made_by,
        )
    )


def find_grants(rows: Rows, site_id: str, holder_ids: Iterable[str]) -> tuple[Grant, ...]:
    """All entries held by any of these subjects and groups."""
    found = rows.execute(_HELD, {"holders": sorted(holder_ids), "site": site_id})
    return tuple(_grant(row) for row in found)


def grants_for(rows: Rows, site_id: str, target_ids: Iterable[str]) -> tuple[Grant, ...]:
    """All entries that name any of these gates and levels."""
    query = select(_GRANTS).where(_GRANTS.c.site_id == site_id, _GRANTS.c.target_id.in_(sorted(target_ids)))
    return tuple(_grant(row) for row in rows.execute(query))


def find_version(rows: Rows, site_id: str) -> int | None:
    """The version of a site's plan."""
    version: int | None = rows.scalar(_VERSION, {"site": site_id})
    return version


def list_grants(rows: Rows, site_id: str, *, after: str | None, limit: int) -> list[Grant]:
    """Grants of a site by id, at most `limit` after the one named."""
    query = select(_GRANTS).where(_GRANTS.c.site_id == site_id).order_by(_GRANTS.c.id).limit(limit)
    if after is not None:
        query = query.where(_GRANTS.c.id > after)
    return [_grant(row) for row in rows.execute(query)]


def forget_grant(rows: Rows, site_id: str, grant_id: str) -> Grant | None:
    """Erase a grant; the one that was there."""
    found = rows.execute(
        select(_GRANTS).where(_GRANTS.c.id == grant_id, _GRANTS.c.site_id == site_id)
    ).first()
    if found is None:
        return None
    rows.execute(delete(GrantRow).where(GrantRow.id == grant_id))
    return _grant(found)


def forget_grants_of(rows: Rows, holder_id: str) -> int:
    """Erase every grant of a subject; how many there were."""
    gone = rows.execute(delete(GrantRow).where(GrantRow.holder_id == holder_id))
    return int(getattr(gone, "rowcount", 0))


def add_order(rows: Rows, site_id: str, order: Order) -> None:
    """Put an order in force."""
    rows.add(
        OrderRow(
            id=order.id,
            site_id=site_id,
            verb=order.verb.value,
            reason=order.reason.value,
            reference=order.reference,
            gate_id=order.gate_id,
            zone_id=order.zone_id,
            since=order.since,
            by=order.by,
            until=order.until,
        )
    )
    rows.flush()


def list_orders(rows: Rows, site_id: str) -> tuple[Order, ...]:
    """The orders in force, oldest first."""
    query = select(OrderRow).where(OrderRow.site_id == site_id, OrderRow.ended_at.is_(None))
    return tuple(_order(row) for row in rows.execute(query.order_by(OrderRow.since, OrderRow.id)).scalars())


def list_orders_then(rows: Rows, site_id: str, at: datetime) -> tuple[Order, ...]:
    """The orders that were in force at an instant, whether or not they have ended since."""
    query = select(OrderRow).where(OrderRow.site_id == site_id, OrderRow.since <= at)
    query = query.where(OrderRow.ended_at.is_(None) | (OrderRow.ended_at > at))
    return tuple(_order(row) for row in rows.execute(query).scalars())


def end_order(rows: Rows, order_id: str, *, at: datetime, by: str) -> None:
    """Take an order out of force."""
    ended = update(OrderRow).where(OrderRow.id == order_id, OrderRow.ended_at.is_(None))
    rows.execute(ended.values(ended_at=at, ended_by=by))


def _order(row: OrderRow) -> Order:
    return Order(
        id=row.id,
        verb=Verb(row.verb),
        reason=Reason(row.reason),
        reference=row.reference,
        gate_id=row.gate_id,
        zone_id=row.zone_id,
        since=row.since,
        by=row.by,
        until=row.until,
    )


def _fresh() -> int:
    return secrets.randbits(62)


def _grant(row: object) -> Grant:
    held = getattr(row, "_mapping", {})
    return Grant(
        id=held["id"],
        holder_id=held["holder_id"],
        target_id=held["target_id"],
        effect=Effect(held["effect"]),
        schedule_id=held["schedule_id"],
        valid_from=held["valid_from"],
        valid_until=held["valid_until"],
        made_by=held["made_by"],
    )
