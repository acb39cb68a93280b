from datetime import timedelta
from typing import Any

import pytest

from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.people import service
from doorward.people.service import Invitation, NewVisit
from tests.people.office import Office


def invite(office: Office, **said: Any) -> Invitation:
    now = office.clock.now
    told: dict[str, Any] = {
        "name": "Mary Somerville",
        "valid_from": now,
        "valid_until": now + timedelta(hours=4),
    }
    if "host_id" not in said:
        told["host_id"] = office.person()
    with office.unit() as unit:
        return service.invite_visitor(unit, office.vault, NewVisit(**(told | said)))


def test_an_invited_visitor_has_a_code_a_host_and_an_end(office: Office) -> None:
    host_id = office.person()
    invited = invite(office, host_id=host_id)
    with office.unit() as unit:
        standing = service.standing_of(unit, invited.visitor.id)
        assert service.find_by_qr(unit, office.vault, invited.token) == invited.visitor.id
    assert standing is not None
    assert (standing.kind, standing.valid_until) == ("visitor", invited.visitor.valid_until)
    assert invited.visitor.host_id == host_id
    assert invited.token not in repr(invited)


@pytest.mark.parametrize("hours", [(0, -1), (5, 4), (0, 24 * 40)])
def test_a_visit_that_is_over_turned_round_or_endless_is_refused(
    office: Office, hours: tuple[int, int]
) -> None:
    start, end = (office.clock.now + timedelta(hours=n) for n in hours)
    with pytest.raises(Invalid):
        invite(office, valid_from=start, valid_until=end)


def test_a_visitor_is_nobodys_host(office: Office) -> None:
    visitor = invite(office).visitor
    with pytest.raises(Invalid):
        invite(office, host_id=visitor.id)


def test_a_visit_ends_at_once_and_once(office: Office) -> None:
    visitor, member = invite(office).visitor, office.person()
    with office.unit() as unit:
        service.end_visit(unit, visitor.id)
        standing = service.standing_of(unit, visitor.id)
    assert standing is not None
    assert standing.valid_until == office.clock.now
    with office.unit() as unit, pytest.raises(Conflict):
        service.end_visit(unit, visitor.id)
    with office.unit() as unit, pytest.raises(Invalid):
        service.end_visit(unit, member)


def test_ended_visitors_are_erased_a_day_later_and_members_stay(office: Office) -> None:
    invited, member = invite(office), office.person(valid_until=office.clock.now + timedelta(hours=1))
    office.clock.advance(hours=20)
    with office.unit() as unit:
        assert service.end_visits(unit, office.recogniser) == 0
    office.clock.advance(hours=20)
    with office.unit() as unit:
        assert service.end_visits(unit, office.recogniser) == 1
        assert service.end_visits(unit, office.recogniser) == 0
        assert service.find_by_qr(unit, office.vault, invited.token) is None
        assert service.get_person(unit, member).id == member
        with pytest.raises(NotFound):
            service.get_person(unit, invited.visitor.id)


def test_a_code_is_drawn_as_a_picture_without_the_name(office: Office) -> None:
    drawn = service.qr_picture(invite(office).token)
    assert drawn.startswith(b"<svg")
    assert b"Somerville" not in drawn
