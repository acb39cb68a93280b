"""Where the routes find the gates' own parts."""

from doorward.gates.service import Desk, Post
from doorward.platform.web import Call


def desk_of(call: Call) -> Desk:
    """The one desk of this server, made at the first call unless wiring made it."""
    state = call.request.app.state
    desk: Desk | None = getattr(state, "desk", None)
    if desk is None:
        desk = state.desk = Desk(state.database, state.post)
    return desk


def post_of(call: Call) -> Post:
    """What stands behind decisions."""
    return desk_of(call).post
