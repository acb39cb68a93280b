"""Numbers and instants as callers may send them: within what every part of the house can reckon with."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

LARGEST = 2**53 - 1  # what JSON and every database keep exactly
EARLIEST_YEAR, LATEST_YEAR = 1900, 2999


def _within_reach(moment: datetime) -> datetime:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"must lie between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    return moment


Count = Annotated[int, Field(ge=0, le=LARGEST)]
Instant = Annotated[AwareDatetime, AfterValidator(_within_reach)]
LooseInstant = Annotated[datetime, AfterValidator(_within_reach)]
