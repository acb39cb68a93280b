"""Which passwords we take: long, not common, not the login."""

import unicodedata

from doorward.core.errors import Invalid

ALONE_AT_LEAST = 15
WITH_FACTOR_AT_LEAST = 8
AT_MOST = 128

# What common passwords are made of; a password that is nothing but these, digits and signs is refused.
_WORDS = """
password passwort passwd pass word qwerty qwertz azerty asdfgh asdf zxcvbn zxcv yxcvbn qazwsx qaz wsx edc
letmein let me in welcome admin administrator root user guest login secret default changeme change iloveyou
love you monkey dragon master shadow sunshine princess football baseball soccer hockey superman batman
trustno trust no abc abcd abcdef abcdefgh test demo hello company summer winter spring autumn january
february march april may june july august september october november december monday tuesday wednesday
thursday friday saturday sunday doorward door gate camera access security guard freedom whatever michael
jordan charlie jessica ashley daniel hunter killer pokemon starwars computer internet samsung google
facebook flower lovely cheese pepper ginger correct horse battery staple qwertyuiop asdfghjkl zxcvbnm
woaini mima the and is my a i
"""
COMMON_PARTS = tuple(_WORDS.split())
LEET = {"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"}
ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890")
FEWEST_DIFFERENT = 5
SHORTEST_TELLING_LOGIN = 4


def one_form_of_password(password: str) -> str:
    """The password in the one form that is hashed (Unicode NFKC), whatever keyboard typed it."""
    return unicodedata.normalize("NFKC", password)


def require_good_password(password: str, *, login: str, has_second_factor: bool) -> str:
    """The password in its one form; `Invalid` says what to change, without saying the password."""
    password = one_form_of_password(password)
    least = WITH_FACTOR_AT_LEAST if has_second_factor else ALONE_AT_LEAST
    if len(password) < least:
        raise Invalid(f"Choose a password of at least {least} characters; a few words in a row do well.")
    if len(password) > AT_MOST:
        raise Invalid(f"Choose a password of at most {AT_MOST} characters.")
    if _holds_login(password.casefold(), login.casefold()):
        raise Invalid("Choose a password that does not contain your login.")
    if is_common(password):
        raise Invalid(
            "An attacker tries this password among the first: choose words that do not belong together."
        )
    return password


def is_common(password: str) -> bool:
    """Whether the password is a common one, a run of keys, or one spun out of them."""
    plain = password.casefold()
    if len(set(plain)) < FEWEST_DIFFERENT:
        return True
    if any(_is_run(plain, row * 2) or _is_run(plain, row[::-1] * 2) for row in ROWS):
        return True
    return _is_made_of_common(plain)


def _holds_login(password: str, login: str) -> bool:
    """Whether the login, or its part before the @, is in there; the shortest ones are in too many words."""
    parts = (login, login.partition("@")[0])
    return any(len(part) >= SHORTEST_TELLING_LOGIN and part in password for part in parts)


def _is_run(password: str, row: str) -> bool:
    return password in row


def _is_made_of_common(password: str) -> bool:
    """Whether common parts, digits and signs cover it end to end; linear in its length."""
    reached = {0}
    for start in range(len(password)):
        if start not in reached:
            continue
        if not password[start].isalpha():
            reached.add(start + 1)
        reached |= {start + len(part) for part in COMMON_PARTS if _spells(password[start:], part)}
    return len(password) in reached


def _spells(password: str, part: str) -> bool:
    """Whether it begins with the part, signs standing for letters as in `p4$$w0rd`."""
    if len(password) < len(part):
        return False
    return all(
        typed == letter or LEET.get(typed) == letter for typed, letter in zip(password, part, strict=False)
    )
