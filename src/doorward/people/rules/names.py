"""One form of a name or number, so that a keyed look-up finds it again."""

import re
import unicodedata

from doorward.core.errors import Invalid

LONGEST_NAME = 200


def one_form_of_name(name: str) -> str:
    """Case, width, accents' encoding and runs of blanks made alike; `Invalid` for no name at all."""
    form = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    if not form or len(form) > LONGEST_NAME:
        raise Invalid(f"A name needs 1 to {LONGEST_NAME} characters.")
    return form


def one_form_of_number(number: str) -> str:
    """Letters and digits only, upper case; `Invalid` for less than four."""
    form = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", number)).upper()
    if not 4 <= len(form) <= 64:
        raise Invalid("A card or ID number needs 4 to 64 letters or digits.")
    return form
