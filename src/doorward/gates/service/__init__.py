"""Deeds at the gates: admit, report, command, replay; and the site's plan."""

from doorward.gates.service.admission import admit, decide_heard, hear_sighting
from doorward.gates.service.alarms import (
    acknowledge_alarm,
    list_alarms,
    note_refused,
    raise_alarm,
    raise_once,
    tell_away,
    tell_unreadable,
)
from doorward.gates.service.commands import (
    Cause,
    end_lapsed_orders,
    find_order,
    give_order,
    is_emergency,
    open_now,
    orders_in_force,
    release,
    standing_at,
)
from doorward.gates.service.desk import Desk
from doorward.gates.service.doorstates import list_doors, report_door, sweep_doors
from doorward.gates.service.forgetting import forget_old, forget_subject
from doorward.gates.service.listing import (
    get_passage,
    in_utc,
    list_passages,
    list_planned_sites,
)
from doorward.gates.service.moving import find_present, forgive, place_by_hand
from doorward.gates.service.names import names_of
from doorward.gates.service.offline import answer_request, answer_request_apart, handovers_to
from doorward.gates.service.outcomes import report, sweep_permits
from doorward.gates.service.planning import (
    forget_piece,
    grant,
    grants_of,
    list_grants,
    revoke_agent,
    revoke_grant,
    set_piece,
    set_site_rules,
)
from doorward.gates.service.post import PlanCache, Post
from doorward.gates.service.replay import replay
from doorward.gates.service.rollcalls import (
    Muster,
    as_json,
    as_page,
    end_rollcall,
    get_rollcall,
    list_rollcalls,
    mark_safe,
    start_rollcall,
)
from doorward.gates.store.passages import Wanted

__all__ = [
    "Cause",
    "Desk",
    "Muster",
    "PlanCache",
    "Post",
    "Wanted",
    "acknowledge_alarm",
    "admit",
    "answer_request",
    "answer_request_apart",
    "as_json",
    "as_page",
    "decide_heard",
    "end_lapsed_orders",
    "end_rollcall",
    "find_order",
    "find_present",
    "forget_old",
    "forget_piece",
    "forget_subject",
    "forgive",
    "get_passage",
    "get_rollcall",
    "give_order",
    "grant",
    "grants_of",
    "handovers_to",
    "hear_sighting",
    "in_utc",
    "is_emergency",
    "list_alarms",
    "list_doors",
    "list_grants",
    "list_passages",
    "list_planned_sites",
    "list_rollcalls",
    "mark_safe",
    "names_of",
    "note_refused",
    "open_now",
    "orders_in_force",
    "place_by_hand",
    "raise_alarm",
    "raise_once",
    "release",
    "replay",
    "report",
    "report_door",
    "revoke_agent",
    "revoke_grant",
    "set_piece",
    "set_site_rules",
    "standing_at",
    "start_rollcall",
    "sweep_doors",
    "sweep_permits",
    "tell_away",
    "tell_unreadable",
]
