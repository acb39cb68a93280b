"""Identifiers that say what they name and nothing about whom."""

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u


def new_id(kind: str) -> str:
    """A random 80-bit identifier such as `person_7k3q...`; unguessable, meaningless, safe in a URL."""
    number = secrets.randbits(80)
    return f"{kind}_" + "".join(ALPHABET[number >> shift & 31] for shift in range(0, 80, 5))
