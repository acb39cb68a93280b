"""When a session still counts, and when a request of a browser is really ours."""

from datetime import datetime, timedelta

from doorward.people.model.staff import Account, Session

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
ENROLLING = timedelta(minutes=30)
FRESH = timedelta(minutes=15)
SEEN_COARSELY = timedelta(minutes=1)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_live(session: Session, account: Account, now: datetime) -> bool:
    """Not ended, not idle, not old, of an open account whose password is still the same."""
    if session.ended or account.barred:
        return False
    if session.generation != account.generation:
        return False
    if now < session.made_at or now - session.made_at >= ABSOLUTE:
        return False
    return now - session.seen_at < IDLE


def is_fresh(session: Session, now: datetime) -> bool:
    """Whether the person proved himself lately enough to change how he proves himself."""
    return timedelta(0) <= now - session.made_at < FRESH


def is_touch_due(seen_at: datetime | None, now: datetime, coarse: timedelta = SEEN_COARSELY) -> bool:
    """Whether the last sign of life should be written again; it is kept coarse."""
    return seen_at is None or now - seen_at >= coarse


def is_cross_site(
    method: str, *, origin: str | None, fetch_site: str | None, host: str, own_header: bool
) -> bool:
    """Whether a request that carries our cookie may have been sent by somebody else's page.

    `own_header` says whether `X-Doorward-CSRF` is there: another site's page cannot add it.
    """
    if method in SAFE_METHODS:
        return False
    if fetch_site is not None and fetch_site != "same-origin":
        return True
    if origin is not None and origin.partition("://")[2] != host:
        return True
    return fetch_site is None and origin is None and not own_header
