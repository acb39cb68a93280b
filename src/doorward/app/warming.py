"""Before anybody knocks: whoever comes first must not wait for galleries to open and loops to load."""

import logging

from doorward.app.house import House
from doorward.core.errors import DoorwardError
from doorward.core.permissions import EVERY_SITE, system_actor
from doorward.gates.service import list_planned_sites
from doorward.people.service import list_peopled_sites, load_gallery
from doorward.platform.db import Unit

ACTOR = system_actor("start")
log = logging.getLogger("doorward.start")


def list_sites(unit: Unit) -> list[str]:
    """Every site that has a plan or people."""
    return sorted({*list_planned_sites(unit), *list_peopled_sites(unit)})


def warm(house: House) -> int:
    """Open every site's gallery; how many faces there are. What cannot be opened now is opened when asked."""
    with house.database.reading(ACTOR, EVERY_SITE) as unit:
        sites = list_sites(unit)
    faces = 0
    for site_id in sites:
        try:
            with house.database.unit(ACTOR, site_id) as unit:
                faces += load_gallery(unit, house.recogniser)
        except DoorwardError as error:
            log.warning("gallery not opened", extra={"site": site_id, "code": error.code})
    if faces:
        house.recogniser.matcher.prepare()
    return faces
