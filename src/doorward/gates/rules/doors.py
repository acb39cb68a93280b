"""What a door's sensor events mean: a pure state machine."""

from dataclasses import replace
from datetime import datetime, timedelta

from doorward.gates.model import AlarmKind, DoorEvent, DoorState, DoorStatus

Step = tuple[DoorState, tuple[AlarmKind, ...]]


def step(state: DoorState, event: DoorEvent, at: datetime, *, open_seconds: int, held_after: int) -> Step:
    """The next state and the alarms it raises. A door opened without permit or exit request was forced."""
    match event:
        case DoorEvent.PERMITTED | DoorEvent.EXIT_REQUESTED:
            return replace(state, may_open_until=at + timedelta(seconds=open_seconds)), ()
        case DoorEvent.OPENED:
            return _opened(replace(state, told_at=at), at)
        case DoorEvent.CLOSED:
            return _closed(state, at, held_after)
        case DoorEvent.TIME_PASSED:
            return _time_passed(state, at, held_after)
        case _:
            return _condition(state, event)


def _opened(state: DoorState, at: datetime) -> Step:
    if state.leaf is not DoorStatus.CLOSED:
        return state, ()
    allowed = state.may_open_until is not None and at <= state.may_open_until
    leaf = DoorStatus.OPEN if allowed else DoorStatus.FORCED
    alarms = () if allowed else (AlarmKind.DOOR_FORCED,)
    return replace(state, leaf=leaf, opened_at=at, may_open_until=None), alarms


def _closed(state: DoorState, at: datetime, held_after: int) -> Step:
    """An opening is over; one that was too long alarms even now."""
    _, alarms = _time_passed(state, at, held_after)
    closed = replace(state, leaf=DoorStatus.CLOSED, opened_at=None, may_open_until=None)
    return replace(closed, told_at=at), alarms


def _time_passed(state: DoorState, at: datetime, held_after: int) -> Step:
    if state.opened_at is not None and at < state.opened_at:  # the clock was set back: count from here
        return replace(state, opened_at=at), ()
    long = state.opened_at is not None and at - state.opened_at >= timedelta(seconds=held_after)
    if state.leaf is DoorStatus.OPEN and long:
        return replace(state, leaf=DoorStatus.HELD), (AlarmKind.DOOR_HELD,)
    return state, ()


def _condition(state: DoorState, event: DoorEvent) -> Step:
    match event:
        case DoorEvent.TAMPERED:
            alarms = () if state.tampered else (AlarmKind.DOOR_TAMPERED,)
            return replace(state, tampered=True), alarms
        case DoorEvent.TAMPER_CLEARED:
            return replace(state, tampered=False), ()
        case DoorEvent.WENT_OFFLINE:
            return replace(state, offline=True), () if state.offline else (AlarmKind.DOOR_OFFLINE,)
        case _:
            return replace(state, offline=False), ()
