"""Which PINs are too easy, and when guessing ends."""

from datetime import timedelta

from doorward.core.errors import Invalid

MOST_WRONG_PINS = 5
LOCKED_FOR = timedelta(minutes=15)
LOCKED_AT_MOST = timedelta(days=1)
KEYPAD_LINES = ("0123456789", "9876543210", "2580", "0852", "147258369", "1470", "3690")


def require_strong_pin(pin: str) -> str:
    """The PIN itself; `Invalid` unless it has 4 to 12 digits and is not among the first to be guessed."""
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 12):
        raise Invalid("A PIN has 4 to 12 digits.")
    half = len(pin) // 2
    repeated = len(set(pin)) <= 2 or (len(pin) % 2 == 0 and pin[:half] == pin[half:])
    on_a_line = any(pin in line for line in KEYPAD_LINES)
    a_year = len(pin) == 4 and pin[:2] in ("19", "20")
    if repeated or on_a_line or a_year:
        raise Invalid("This PIN is among the first to be guessed: avoid repeats, rows and years.")
    return pin


def locked_for(wrong: int) -> timedelta | None:
    """How long a PIN locks after so many wrong ones in a row: each fifth twice as long, a day at most."""
    rounds, rest = divmod(wrong, MOST_WRONG_PINS)
    if rest or not rounds:
        return None
    return min(LOCKED_FOR * (1 << min(rounds - 1, 10)), LOCKED_AT_MOST)
