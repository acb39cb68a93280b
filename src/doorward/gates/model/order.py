"""Orders by staff that stand above the rules, and the reasons they are given."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verb(StrEnum):
    """A standing order. Locked, lockdown and evacuation are different things on purpose."""

    LOCK = "lock"  # entry shut until released
    UNLOCK = "unlock"  # anybody may pass until released
    LOCKDOWN = "lockdown"  # entry shut against everybody, beats schedules, grants and unlocking
    EVACUATION = "evacuation"  # everything opens
    FIRE = "fire"  # released by the fire panel: everything opens, beats lockdown


EMERGENCIES = frozenset({Verb.LOCKDOWN, Verb.EVACUATION, Verb.FIRE})


class Reason(StrEnum):
    """Why staff stepped in; a list and not free text, so that no name gets into a log."""

    DELIVERY = "delivery"
    DRILL = "drill"
    EMERGENCY_SERVICES = "emergency-services"
    FORGOTTEN_CREDENTIAL = "forgotten-credential"
    MAINTENANCE = "maintenance"
    MISREAD = "misread"
    OTHER = "other"
    THREAT = "threat"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A verb in force for a gate, for the gates into and out of a zone, or for the whole site (both None).

    It holds until released, or until just before `until` if that comes first.
    """

    id: str
    verb: Verb
    reason: Reason
    since: datetime
    by: str
    gate_id: str | None = None
    zone_id: str | None = None
    reference: str = ""
    until: datetime | None = None

    def holds_at(self, now: datetime) -> bool:
        """Whether it is in force at an instant."""
        return self.until is None or now < self.until
