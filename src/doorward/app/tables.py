"""Every table of the house, known to the metadata by being imported here."""

from doorward.platform import idempotency, jobs
from doorward.platform.db import Base

ROOMS_WITH_TABLES = (idempotency, jobs)
METADATA = Base.metadata
