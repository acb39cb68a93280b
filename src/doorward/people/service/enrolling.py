"""The moment an account becomes whole: its first second factor is there."""

from dataclasses import dataclass

from doorward.people.model.staff import NewSession, Session, Stage
from doorward.people.service.factors import make_recovery_codes
from doorward.people.service.sessions import begin_anew
from doorward.platform.db import Unit


@dataclass(frozen=True, slots=True)
class Completed:
    """A full session in place of the enrolling one, and recovery codes to show this once."""

    session: NewSession
    recovery_codes: tuple[str, ...]


def complete(unit: Unit, session: Session) -> Completed | None:
    """What follows on a second factor just enrolled; None if the account was whole before."""
    if session.stage is Stage.FULL:
        return None
    codes = make_recovery_codes(unit, session.account_id)
    return Completed(begin_anew(unit, session.account_id, Stage.FULL), codes)
