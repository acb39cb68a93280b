"""Deletes objects that no block names any more: former sealings, and those of units that were cut short."""

from contextlib import suppress

from doorward.audit.service import record
from doorward.core.errors import Unavailable
from doorward.gallery import store
from doorward.gallery.service.keyholder import KeyHolder
from doorward.platform.db import Unit

KEPT_SECONDS = 600.0  # another process may still be about to read it, or to commit the unit that names it


def sweep_blocks(unit: Unit, keyholder: KeyHolder) -> int:
    """Delete blocks that nobody names and that are older than ten minutes; how many.

    Their seeds went when they were replaced: what is left on the disk meanwhile opens for nobody.
    """
    named = store.list_digests(unit.rows)
    loose = [name for name in keyholder.blocks.names(older_than_seconds=KEPT_SECONDS) if name not in named]
    for name in loose:
        keyholder.blocks.remove(name)
    if loose:
        record(unit, "gallery.swept", blocks=len(loose))
    with suppress(Unavailable):  # the next sweep says it again
        keyholder.matcher.keep(named)
    return len(loose)
