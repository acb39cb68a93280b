"""What the gates' routes give, as JSON."""

import json
from datetime import datetime

from pydantic import BaseModel, RootModel

from doorward.gates.model import (
    Agent,
    Alarm,
    DoorState,
    Gate,
    Grant,
    Level,
    Order,
    Passage,
    Presence,
    RollCall,
    Schedule,
    SiteRules,
    Zone,
)
from doorward.gates.service import Muster


class SignedOut(BaseModel):
    """A signed message of the server."""

    body: str
    signer_id: str
    signature: str


class Done(BaseModel):
    """It is done."""

    count: int = 1


GateOut = RootModel[Gate]
ZoneOut = RootModel[Zone]
LevelOut = RootModel[Level]
ScheduleOut = RootModel[Schedule]
AgentOut = RootModel[Agent]
RulesOut = RootModel[SiteRules]
GrantOut = RootModel[Grant]
OrderOut = RootModel[Order]
AlarmOut = RootModel[Alarm]


class FindingOut(BaseModel):
    """One rule's answer."""

    rule: str
    passed: bool
    detail: str
    refusal: str | None


class PassageOut(BaseModel):
    """A decision and what came of it; who passed is an id."""

    id: str
    gate_id: str
    agent_id: str
    direction: str
    subject_id: str | None
    companion_id: str | None
    seen_at: datetime
    decided_at: datetime
    state: str
    because: str
    offline: bool
    trace: list[FindingOut]

    @classmethod
    def of(cls, passage: Passage) -> "PassageOut":
        """From ours."""
        lines = json.loads(passage.trace)
        trace = [FindingOut(rule=r, passed=p, detail=d, refusal=f) for r, p, d, f in lines]
        named = {name: getattr(passage, name) for name in cls.model_fields if name != "trace"}
        return cls(**named, trace=trace)


class PassagesOut(BaseModel):
    """A page of passages, latest first."""

    items: list[PassageOut]
    next_cursor: str | None


class GrantsOut(BaseModel):
    """A page of grants."""

    items: list[Grant]
    next_cursor: str | None


class AlarmsOut(BaseModel):
    """A page of alarms, latest first."""

    items: list[Alarm]
    next_cursor: str | None


class ListOut(BaseModel):
    """Everybody counted inside."""

    items: list[Presence]


class DoorsOut(BaseModel):
    """Every door that ever said anything."""

    items: list[DoorState]


class MusterOut(BaseModel):
    """A roll-call: whom it looks for, who is missing."""

    call: RollCall
    expected: int
    missing: list[str]
    safe: list[str]

    @classmethod
    def of(cls, muster: Muster) -> "MusterOut":
        """From ours."""
        missing = [one.subject_id for one in muster.missing]
        safe = [one.subject_id for one in muster.people if one.safe_at is not None]
        return cls(call=muster.call, expected=len(muster.people), missing=missing, safe=safe)
