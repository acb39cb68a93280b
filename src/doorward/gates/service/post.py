"""What stands behind every decision: who identifies, with which keys, under which plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from doorward.core.errors import Denied, Invalid, Tampered
from doorward.core.keys import ServerKeys, agent_key
from doorward.core.wire import (
    ChainRestart,
    DoorState,
    JournalEntry,
    Outcome,
    Request,
    Sighting,
    Signed,
    open_message,
)
from doorward.gates.model import (
    Agent,
    Calendar,
    Gate,
    Grant,
    Hours,
    Level,
    Piece,
    Plan,
    Schedule,
    SiteRules,
    Zone,
    targets_of,
)
from doorward.gates.ports import Identifier
from doorward.gates.store import places
from doorward.platform.db import Unit

MOST_HOLDERS = 100_000
M = TypeVar("M", Sighting, Outcome, DoorState, JournalEntry, ChainRestart, Request)
P = TypeVar("P", bound=Piece)


class PlanCache:
    """The latest plan of each site, kept until its version number in the database changes."""

    def __init__(self) -> None:
        self._plans: dict[str, tuple[int, Plan]] = {}
        self._held: dict[tuple[str, int], dict[str, tuple[Grant, ...]]] = {}
        self._lock = Lock()

    def latest(self, unit: Unit) -> Plan:
        """The plan this process read last, which may have changed since; read now if there is none."""
        with self._lock:
            held = self._plans.get(unit.site_id)
        return held[1] if held is not None and held[0] == unit.now.year else self.plan_of(unit)

    def grants_of(self, unit: Unit, plan: Plan, holder_ids: frozenset[str]) -> tuple[Grant, ...]:
        """What these subjects and groups hold, remembered for as long as the plan's version stands.

        Every change of a grant draws a new version in its own transaction, so what is remembered under a
        version is what the database says under it.
        """
        key = (unit.site_id, plan.version)
        with self._lock:
            if key not in self._held:
                self._held = {other: kept for other, kept in self._held.items() if other[0] != unit.site_id}
                self._held[key] = {}
            known = self._held[key]
        if not holder_ids <= known.keys():
            if len(known) > MOST_HOLDERS:
                known = self._held[key] = {}
            found = places.find_grants(unit.rows, unit.site_id, holder_ids)
            known.update({one: tuple(g for g in found if g.holder_id == one) for one in holder_ids})
        return tuple(grant for one in sorted(holder_ids) for grant in known[one])

    def plan_of(self, unit: Unit) -> Plan:
        """The site's plan as this unit sees it; an empty one for a site not yet set up."""
        version = places.find_version(unit.rows, unit.site_id)
        if version is None:
            return Plan(version=0)
        year = unit.now.year
        with self._lock:
            held = self._plans.get(unit.site_id)
        if held is not None and held[0] == year and held[1].version == version:
            return held[1]
        plan = _read_plan(unit, version)
        with self._lock:
            self._plans[unit.site_id] = (year, plan)
        return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where decisions are taken. `reactions` are jobs promised with every decision."""

    identifier: Identifier
    keys: ServerKeys
    plans: PlanCache = field(default_factory=PlanCache)
    permit_seconds: int = 5
    clock_tolerance_seconds: int = 30
    patience_seconds: float = 1.0  # for the database; an agent that hears nothing for longer decides alone
    policy_hours: int = 24
    outcome_grace_seconds: int = 30
    silence_seconds: int = 600
    reactions: tuple[str, ...] = ()
    heard: dict[str, datetime] = field(default_factory=dict)  # when a sighting last counted as a sign of life

    @property
    def clock_tolerance(self) -> timedelta:
        """Greatest offset at which a sighting counts as live."""
        return timedelta(seconds=self.clock_tolerance_seconds)


def holidays_of(calendar: Calendar, years: range) -> frozenset[date]:
    """The dates a calendar closes; `Invalid` for a country or subdivision nobody lists."""
    found: set[date] = set(calendar.added)
    if calendar.country is not None:
        try:
            listed = holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=years)
        except NotImplementedError as error:
            raise Invalid("No holidays are known for this country and subdivision (ISO 3166).") from error
        found.update(listed)
    return frozenset(found - set(calendar.worked))


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; `Invalid` if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid("There is no such time zone: use an IANA name such as Europe/Berlin.") from error


def hours_of(rules: SiteRules, schedules: dict[str, Schedule], now: datetime) -> Hours:
    """The site's schedules, its holidays from last year to the year after next, and its clock."""
    years = range(now.year - 1, now.year + 3)
    return Hours(schedules, holidays_of(rules.calendar, years), zone_of(rules.time_zone))


@contextmanager
def from_outside() -> Iterator[None]:
    """`Denied` for bytes that fail their proof: anybody can send such, they tell nothing of what we keep."""
    try:
        yield
    except Tampered as error:
        raise Denied(
            "This message was not signed or sealed with the keys that agent and server agreed on: "
            "register the key that the agent has.",
            because="proof",
        ) from error


def hear(plan: Plan, shape: type[M], signed: Signed, *, any_gate: bool = False) -> M:
    """What an agent said, if it is known, signed it, and speaks for that gate; `Denied` otherwise.

    With `any_gate` it may also speak of one that it stood at once.
    """
    agent = plan.agents.get(signed.signer_id)
    if agent is None or agent.revoked:
        raise Denied("This agent is not registered here: register its public key first.")
    with from_outside():
        message = open_message(agent_key(agent.public_key), shape, signed)
    speaker = getattr(message, "agent_id", signed.signer_id)
    if speaker != agent.id or not (any_gate or message.gate_id in agent.gate_ids):
        raise Denied("This agent may not speak for this gate.")
    return message


def _read_plan(unit: Unit, version: int) -> Plan:
    site = places.find_site(unit.rows, unit.site_id)
    rules = site[1] if site else SiteRules()
    pieces = places.list_pieces(unit.rows, unit.site_id)
    gates = _by_id(pieces, Gate)
    levels = _by_id(pieces, Level)
    schedules = _by_id(pieces, Schedule)
    return Plan(
        version=version,
        rules=rules,
        gates=gates,
        zones=_by_id(pieces, Zone),
        levels=levels,
        schedules=schedules,
        agents=_by_id(pieces, Agent),
        orders=places.list_orders(unit.rows, unit.site_id),
        hours=hours_of(rules, schedules, unit.now),
        targets=targets_of(gates, levels),
    )


def _by_id(pieces: list[Piece], kind: type[P]) -> dict[str, P]:
    return {piece.id: piece for piece in pieces if isinstance(piece, kind)}
