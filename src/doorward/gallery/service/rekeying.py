"""Renewal: a second gallery under a new rotation and new secrets is filled, then takes the first one's place.

Gates search the first one all the while; whoever is enrolled meanwhile joins both. Every step is a unit of
its own, and where one was cut short the next goes on. The new gallery is sealed by the scheme that the
settings choose, so that this is also how a site changes its scheme.
"""

from doorward.audit.service import record
from doorward.core.errors import Conflict
from doorward.gallery import store
from doorward.gallery.model import Generation, State
from doorward.gallery.service.enrolling import begin_generation, enrol_into
from doorward.gallery.service.keyholder import KeyHolder
from doorward.gallery.service.mending import CLEAR_RETIRED, leave_out, retire
from doorward.matching.parameters import BLOCK_SIZE
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue

REKEY = "gallery.rekey"
AT_ONCE = BLOCK_SIZE
ROWS_AT_ONCE = 20_000


def begin_rekey(unit: Unit, keyholder: KeyHolder) -> None:
    """Begin to renew everything; jobs do the work. `Conflict` if nobody is enrolled or one runs already."""
    current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
    if current is None:
        raise Conflict("Nobody's face is enrolled at this site: there is nothing to renew.")
    if store.find_generation(unit.rows, unit.site_id, State.FILLING) is not None:
        raise Conflict("A renewal of this gallery is running already.")
    begin_generation(unit, keyholder, current.length, State.FILLING)
    record(unit, "gallery.rekey-begun", generation=current.id)
    enqueue(unit, REKEY)


def follow_settings(unit: Unit, keyholder: KeyHolder) -> None:
    """Begin to renew a gallery that another scheme sealed than the settings choose; safe to repeat.

    A renewal into a scheme that is chosen no more is given up. `Unavailable` where the chosen one lacks its
    library: the former gallery is searched on.
    """
    chosen = keyholder.schemes.chosen
    current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
    filling = store.find_generation(unit.rows, unit.site_id, State.FILLING)
    if filling is not None and filling.scheme is not chosen:
        _give_up(unit, filling)
        filling = None
    if current is not None and filling is None and current.scheme is not chosen:
        begin_rekey(unit, keyholder)


def go_on_by_job(unit: Unit, keyholder: KeyHolder) -> None:
    """One step of a renewal, and the promise of the next."""
    if not go_on(unit, keyholder):
        enqueue(unit, REKEY)


def go_on(unit: Unit, keyholder: KeyHolder) -> bool:
    """Renew up to a block of faces; the last step puts the new gallery in place. Whether it is done."""
    current = store.find_generation(unit.rows, unit.site_id, State.CURRENT)
    filling = store.find_generation(unit.rows, unit.site_id, State.FILLING)
    if current is None or filling is None:
        return True
    missing = store.list_missing(unit.rows, current.id, filling.id, most=AT_ONCE)
    if missing:
        found = keyholder.templates(unit, missing)
        enrol_into(unit, keyholder, filling, found)
        leave_out(unit, sorted(set(missing) - set(found)))
        return False
    _replace(unit, current, filling)
    return True


def clear_retired(unit: Unit) -> bool:
    """Forget the rows of a replaced gallery, a part at a time; whether nothing is left of any."""
    retired = store.find_generation(unit.rows, unit.site_id, State.RETIRED)
    if retired is None:
        return True
    if not store.forget_generation(unit.rows, retired.id, most=ROWS_AT_ONCE):
        enqueue(unit, CLEAR_RETIRED)
        return False
    return clear_retired(unit)


def _replace(unit: Unit, former: Generation, fresh: Generation) -> None:
    """From this commit on the new gallery is searched, and no key of the former one is left.

    A matcher that was not trusted is not trusted with this one either.
    """
    retire(unit, former)
    store.change_generation(
        unit.rows, fresh.id, state=State.CURRENT.value, distrusted_at=former.distrusted_at
    )
    faces = store.count_places(unit.rows, fresh.id)
    record(unit, "gallery.rekeyed", former=former.id, generation=fresh.id, faces=faces)


def _give_up(unit: Unit, filling: Generation) -> None:
    """Go on with the current gallery alone."""
    retire(unit, filling)
    record(unit, "gallery.rekey-given-up", generation=filling.id)
