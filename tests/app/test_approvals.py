from pathlib import Path

from doorward.app.house import CONSOLE, open_house
from doorward.people.model.approvals import Action
from doorward.people.service.approvals import propose
from doorward.platform.paging import MOST_PER_PAGE
from tests.journeys.conftest import Terminal


def test_every_proposal_that_waits_is_listed(tmp_path: Path) -> None:
    doorward = Terminal(tmp_path / "site")
    assert doorward("init").code == 0
    house = open_house(doorward.folder)
    with house.unit(CONSOLE) as unit:
        made = {
            propose(unit, house.vault, Action.FACE_SEARCH, {"target": "site"}, "a test")
            for _ in range(MOST_PER_PAGE + 1)
        }
    house.close()
    assert {line["id"] for line in doorward("approval", "list").lines} == made
    assert not doorward("approval", "list", "--site", "*").lines
