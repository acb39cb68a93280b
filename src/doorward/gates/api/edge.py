"""Routes for agents beside gates; each message proves itself by its signature as well."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Depends

from doorward.core.errors import Denied
from doorward.core.permissions import Permission
from doorward.core.wire import Signed
from doorward.gates import service
from doorward.gates.api.asked import JournalIn, SignedIn
from doorward.gates.api.desk import desk_of, post_of
from doorward.gates.api.told import Done, SignedOut
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/edge", tag="edge")
NEEDS = Permission.GATES_SIGHT


@routes.post("/sightings", needs=NEEDS)
def post_sighting(body: SignedIn, call: Call = Depends(current_call)) -> SignedOut:
    """Ask whether a gate may open; the answer is a signed permit or refusal."""
    signed = body.ours()
    with _noted(call, signed):
        return _out(desk_of(call).admit(call.actor, call.site_id, signed))


@routes.post("/outcomes", needs=NEEDS)
def post_outcome(body: SignedIn, call: Call = Depends(current_call)) -> Done:
    """Report what the barrier did with a permit."""
    signed = body.ours()
    with _noted(call, signed), call.unit() as unit:
        service.report(unit, post_of(call), signed)
    return Done()


@routes.post("/door-states", needs=NEEDS)
def post_door_state(body: SignedIn, call: Call = Depends(current_call)) -> Done:
    """Report a change of a door's contacts."""
    signed = body.ours()
    with _noted(call, signed), call.unit() as unit:
        service.report_door(unit, post_of(call), signed)
    return Done()


@routes.post("/journal", needs=NEEDS)
def post_journal(body: JournalIn, call: Call = Depends(current_call)) -> SignedOut:
    """Hand over what was decided offline; the signed receipt says how far it is held."""
    entries = [entry.ours() for entry in body.entries]
    restart = body.restart.ours() if body.restart else None
    with _noted(call, entries[0]), call.unit() as unit:
        return _out(service.replay(unit, post_of(call), entries, restart=restart))


@routes.post("/requests", needs=NEEDS)
def post_request(body: SignedIn, call: Call = Depends(current_call)) -> SignedOut:
    """Fetch the offline policy of a gate, or the time."""
    signed = body.ours()
    with _noted(call, signed):
        return _out(service.answer_request_apart(call, post_of(call), signed))


@routes.post("/commanded", needs=NEEDS)
def post_commanded(body: SignedIn, call: Call = Depends(current_call)) -> SignedOut:
    """Fetch the mode of a gate and the permits that staff gave by hand and that still wait."""
    signed = body.ours()
    with _noted(call, signed), call.unit() as unit:
        return _out(service.standing_at(unit, post_of(call), signed))


@routes.post("/handovers", needs=NEEDS)
def post_handovers(body: SignedIn, call: Call = Depends(current_call)) -> list[SignedOut]:
    """Fetch what introduces the server's present key, each signed by a key that it followed."""
    signed = body.ours()
    with _noted(call, signed), call.unit() as unit:
        return [_out(one) for one in service.handovers_to(unit, post_of(call), signed)]


@contextmanager
def _noted(call: Call, signed: Signed) -> Iterator[None]:
    """Keep that a message was refused, in a unit of its own: that of the message is undone."""
    try:
        yield
    except Denied as error:
        with call.unit() as unit:
            code = str(error.facts.get("because", error.code))
            service.note_refused(unit, post_of(call), signed.signer_id, code=code)
        raise


def _out(signed: Signed) -> SignedOut:
    return SignedOut(**signed.to_json())
