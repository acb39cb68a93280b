"""Which keys exist, which bytes a seal is bound to, how sizes are hidden and when a grant holds."""

import re
from datetime import datetime, timedelta

from doorward.core.encoding import canonical_json
from doorward.core.errors import Invalid
from doorward.vault.model import KeyName, Place, Purpose, Use, ViewGrant

SEALED_BY_PURPOSE = 1
SEALED_BY_SUBJECT = 2
WRAPPED_KEY = 3

RECEIPT_PREFIX = b"doorward/1/erasure-receipt\n"
GRANT_LASTS = timedelta(minutes=2)
SMALLEST_BUCKET = 16 * 1024
LARGEST_PHOTO = 16 * 1024 * 1024
LENGTH_BYTES = 4
VIEW_PURPOSE = re.compile(r"[a-z][a-z_-]{2,39}")
SHORTEST_PASSPHRASE = 12
FEWEST_DIFFERENT = 7
# Whose neighbours a finger runs along; a run counts for its first two characters.
KEY_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm")
WRAPPING = (Purpose.PEOPLE, Purpose.PLATES)
# No room seals or looks up anything under these, so that they change at once; `Vault` refuses their use.
IDLE = frozenset(
    KeyName(Use.BLIND, purpose)
    for purpose in Purpose
    if purpose is not Purpose.DATABASE and not purpose.startswith("blind-")
) | {
    KeyName(Use.SEAL, purpose)
    for purpose in (Purpose.DECIDER, Purpose.GATES, Purpose.MATCHER, Purpose.PEOPLE, Purpose.PLATES)
}
# What somebody with an older copy of the database and today's ring could guess one by one.
GUESSABLE = tuple(
    KeyName(Use.BLIND, purpose)
    for purpose in (
        Purpose.BLIND_CARD,
        Purpose.BLIND_ID_NUMBER,
        Purpose.BLIND_LOGIN,
        Purpose.BLIND_NAME,
        Purpose.BLIND_PLATE,
    )
)
RATCHET_AFTER = timedelta(minutes=2)  # erasures of that time share a turn
# An agent that was offline meanwhile knows only the key from before, which introduces the new one to it, and
# opens the journal that it brings. A matcher or decider elsewhere knows one key and must first be told of
# another; a face that was sealed to a decider's former key is on its way for seconds.
LINGERS = {
    KeyName(Use.SIGN, Purpose.GATES): timedelta(days=30),
    KeyName(Use.SIGN, Purpose.DECIDER): timedelta(days=2),
    KeyName(Use.SIGN, Purpose.MATCHER): timedelta(days=2),
}


def key_names() -> tuple[KeyName, ...]:
    """Every line that a complete key ring holds."""
    return tuple(sorted(KeyName(use, purpose) for purpose in Purpose for use in _uses_of(purpose)))


def wrapping_purpose(subject_id: str) -> Purpose:
    """Whose key wraps the data key of this subject: vehicles are kept apart from people."""
    return Purpose.PLATES if subject_id.startswith("vehicle_") else Purpose.PEOPLE


def bound_to(header: int, place: Place, key: str) -> bytes:
    """The associated data of a seal: kind, place and key, in an unambiguous form."""
    return canonical_json(["doorward/1", header, place.table, place.column, place.row_id, key])


def padded(content: bytes) -> bytes:
    """Length, content and zeros up to the next bucket, so that an object's size tells little.

    Buckets double from 16 KiB, with one step between: 16, 24, 32, 48, 64 KiB and so on.
    """
    if len(content) > LARGEST_PHOTO:
        raise Invalid("This photo is larger than 16 MiB: send a smaller one.")
    bucket = bucket_for(len(content) + LENGTH_BYTES)
    return (len(content).to_bytes(LENGTH_BYTES, "big") + content).ljust(bucket, b"\0")


def unpadded(content: bytes) -> bytes:
    """What `padded` was given."""
    length = int.from_bytes(content[:LENGTH_BYTES], "big")
    return content[LENGTH_BYTES : LENGTH_BYTES + length]


def bucket_for(size: int) -> int:
    """The smallest bucket that holds `size` bytes."""
    bucket = SMALLEST_BUCKET
    while bucket < size:
        if bucket + bucket // 2 >= size:
            return bucket + bucket // 2
        bucket *= 2
    return bucket


def require_view_purpose(purpose: str) -> str:
    """The stated purpose, if it is a code such as `guard-check` (it goes to the log, so no free text)."""
    if not VIEW_PURPOSE.fullmatch(purpose):
        raise Invalid("State the purpose as a short code of small letters, such as guard-check.")
    return purpose


def may_redeem(grant: ViewGrant, actor_id: str, now: datetime) -> bool:
    """Whether this grant shows its photo to this actor now."""
    if grant.used:
        return False
    if grant.actor_id != actor_id:
        return False
    return now < grant.expires_at


def is_ratchet_due(made_at: datetime | None, now: datetime) -> bool:
    """Whether the key that wraps data keys has gathered erasures for long enough, or its age is unknown."""
    return is_as_old(made_at, now, RATCHET_AFTER)


def is_as_old(made_at: datetime | None, now: datetime, age: timedelta) -> bool:
    """Whether a key may have reached an age; one from before ages were kept, or from the future, may have."""
    return made_at is None or not timedelta(0) <= now - made_at < age


def lingers(name: KeyName, replaced_at: datetime | None, now: datetime) -> bool:
    """Whether a replaced key must still open what is on its way."""
    kept_for = LINGERS.get(name)
    return kept_for is not None and replaced_at is not None and now - replaced_at < kept_for


def require_strong_passphrase(phrase: str) -> None:
    """`Invalid` for one that a guesser tries early: short, few different characters, runs, a piece repeated.

    No word list is asked: five words that do not belong together are best.
    """
    plain = phrase.casefold()
    counted = sum(not _continues_run(plain, place) for place in range(len(plain)))
    if counted < SHORTEST_PASSPHRASE or len(set(plain)) < FEWEST_DIFFERENT or _repeats_itself(plain):
        raise Invalid(
            f"The passphrase needs at least {SHORTEST_PASSPHRASE} characters without runs such as 1234, "
            f"{FEWEST_DIFFERENT} of them different, and no piece over and over: five words do."
        )


def _continues_run(phrase: str, place: int) -> bool:
    """Whether the character here goes on as the two before it: aaa, abc, 321, qwe."""
    three = phrase[place - 2 : place + 1] if place >= 2 else ""
    if len(set(three)) == 1:
        return True
    return bool(three) and any(three in row or three in row[::-1] for row in KEY_ROWS)


def _repeats_itself(phrase: str) -> bool:
    return phrase in (phrase + phrase)[1:-1]


def _uses_of(purpose: Purpose) -> tuple[Use, ...]:
    if purpose is Purpose.DATABASE:
        return (Use.OPEN,)
    if purpose.startswith("blind-"):
        return (Use.BLIND,)
    wrap = (Use.WRAP,) if purpose in WRAPPING else ()
    return (Use.BLIND, Use.SEAL, Use.SIGN, *wrap)
