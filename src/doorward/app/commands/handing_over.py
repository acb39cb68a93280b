"""`doorward gallery hand-over`: the templates of a site move to its decider, and none stays."""

import typer

from doorward.app.context import context_of
from doorward.app.house import CONSOLE, House
from doorward.core.errors import Invalid
from doorward.gallery.service.keeping import give_up
from doorward.people.drivers.remote_decider import RemoteDecider
from doorward.people.service import list_peopled_sites
from doorward.people.service.deciding import hand_over as hand_some_over

NO_DECIDER = (
    "No decider is named: put url and public_key of [decider] into doorward.toml (docs/operate/decider.md)."
)


def hand_over(ctx: typer.Context) -> None:
    """Enrol everybody whose template is still here at the decider, and keep no template and no gallery here.

    Stop the server first. May be stopped and repeated: whoever was handed over stays so. Those whose template
    does not open are told, and stay as they are until they are enrolled again.

    Example: doorward gallery hand-over
    """
    context = context_of(ctx)
    with context.house() as house:
        if not isinstance(house.recogniser.matcher, RemoteDecider):
            raise Invalid(NO_DECIDER)
        with house.database.reading(CONSOLE, house.site_id) as unit:
            sites = sorted({house.site_id, *list_peopled_sites(unit)})
        handed, unreadable = 0, list[str]()
        for site_id in sites:
            done, left = _of_site(house, site_id)
            handed, unreadable = handed + done, unreadable + left
    context.voice.card("Handed over", {"faces": handed, "unreadable": unreadable})


def _of_site(house: House, site_id: str) -> tuple[int, list[str]]:
    handed, unreadable, after, more = 0, list[str](), "", True
    while more:
        with house.database.unit(CONSOLE, site_id) as unit:
            some, left = hand_some_over(unit, house.recogniser, after=after)
        handed, more = handed + len(some) - len(left), bool(some)
        unreadable += left
        after = some[-1] if some else after
    with house.database.unit(CONSOLE, site_id) as unit:
        give_up(unit)
    return handed, unreadable
