"""What a lawful basis allows, and what must be said before somebody's data is touched."""

import re

from doorward.core.errors import Invalid
from doorward.people.model import Basis

# A face is biometric data: GDPR Article 9(2) knows no contract and no legitimate interest.
FACE_BASES = frozenset({Basis.CONSENT, Basis.LEGAL_OBLIGATION, Basis.PUBLIC_TASK, Basis.VITAL_INTEREST})
PHOTO_BASES = frozenset({Basis.CONSENT, Basis.LEGAL_OBLIGATION, Basis.PUBLIC_TASK})
PURPOSE = re.compile(r"[a-z][a-z_-]{2,39}")
NOTICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def require_face_basis(basis: Basis) -> Basis:
    """The basis, if a face may be kept on it."""
    if basis not in FACE_BASES:
        raise Invalid(
            "A contract or legitimate interest does not allow keeping a face: ask for consent or give a card."
        )
    return basis


def require_photo_basis(basis: Basis) -> Basis:
    """The basis, if photos may be kept beside the template."""
    if basis not in PHOTO_BASES:
        raise Invalid("The basis of this face does not cover pictures: keep the template alone.")
    return basis


def require_notice(notice: str) -> str:
    """The version of the notice that the person was given, such as 2030-1."""
    if not NOTICE.fullmatch(notice):
        raise Invalid("Name the version of the privacy notice in 1 to 40 letters, digits, dots or dashes.")
    return notice


def require_purpose(purpose: str) -> str:
    """The stated purpose, if it is a code such as `guard-check` (it goes to the log, so no free text)."""
    if not PURPOSE.fullmatch(purpose):
        raise Invalid("State the purpose as a short code of small letters, such as guard-check.")
    return purpose


def require_reason(reason: str) -> str:
    """A stated reason, in words."""
    if not 5 <= len(reason.strip()) <= 500:
        raise Invalid("State the reason in 5 to 500 characters.")
    return reason
