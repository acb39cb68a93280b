"""The first page after signing in, for each role what it may see."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.app.house import CONSOLE
from doorward.core.permissions import EVERY_SITE
from doorward.people.model.approvals import Action
from doorward.people.model.roles import Role
from doorward.people.service.approvals import require_approval
from tests.conftest import SteppingClock
from tests.people.household import Household


@pytest.fixture
def home(tmp_path: Path, clock: SteppingClock) -> Iterator[Household]:
    made = Household(tmp_path / "site", clock)
    yield made
    made.house.close()


def employ(home: Household, name: str, role: Role, site: str = "site_home") -> None:
    ada = home.room.actor(home.ids["ada"])
    home.ids[name] = home.room.colleague(ada, name, role, site).id


def board(home: Household, who: str) -> str:
    answer = home.ask(who, "GET", "/")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def waive(home: Household, site: str, action: Action, **facts: str) -> None:
    with home.house.database.unit(CONSOLE, site) as unit:
        require_approval(unit, None, action, facts)


def test_data_protection_sees_what_was_done_alone_and_a_guard_does_not(home: Household) -> None:
    employ(home, "dpo", Role.DATA_PROTECTION)
    employ(home, "gil", Role.GUARD)
    assert "gates.face-search" not in board(home, "dpo")
    waive(home, "site_home", Action.FACE_SEARCH, target="site")
    seen = board(home, "dpo")
    assert "gates.face-search" in seen and "system:console" in seen and "people registered" in seen
    assert "Last passages" not in seen and "alarm" not in seen, "that takes other rights"
    guarded = board(home, "gil")
    assert "gates.face-search" not in guarded and "Last passages" in guarded


def test_what_was_done_alone_at_every_site_is_shown_to_whoever_may_read_there(home: Household) -> None:
    employ(home, "here", Role.DATA_PROTECTION)
    employ(home, "all", Role.DATA_PROTECTION, EVERY_SITE)
    waive(home, EVERY_SITE, Action.ROTATE_ROOT, custodian="file", ring="r")
    waive(home, "site_home", Action.FACE_SEARCH, target="site")
    assert board(home, "all").count("gates.face-search") == 1
    assert "vault.rotate-root" in board(home, "all")
    assert "vault.rotate-root" not in board(home, "here")


def test_whoever_may_see_no_part_is_told_which_right_is_needed(home: Household) -> None:
    home.ids["nil"] = "staff_nobody"
    answer = home.ask("nil", "GET", "/")
    assert answer.status_code == 403 and "gates:read" in answer.text
