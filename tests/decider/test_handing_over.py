"""A site that held its own gallery gives it away, and keeps nothing of it."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from doorward.app.house import create_house, open_house
from doorward.audit.service import list_entries
from doorward.people import service as people
from doorward.people.model import Basis
from doorward.people.service import NewPerson
from doorward.people.service.exporting import export_person
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from tests.conftest import GUARD, SITE
from tests.decider.world import Running, Site, configure, server_key
from tests.people.office import near, photos

OTHER_SITE = "site_other"
PROGRAM = [sys.executable, "-c", "from doorward.app.cli import main; main()"]


def handed_over(folder: Path) -> subprocess.CompletedProcess[str]:
    words = [*PROGRAM, "--folder", str(folder), "--json", "gallery", "hand-over"]
    return subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)


def count(unit: Unit, what: str) -> int:
    return int(unit.rows.scalar(text(f"SELECT count(*) FROM {what}")) or 0)


def test_templates_of_every_site_move_and_none_stays(tmp_path: Path) -> None:
    folder, known = tmp_path / "site", {}
    with closing(create_house(folder)) as house:
        for seed, site_id in ((1, SITE), (2, SITE), (3, OTHER_SITE), (4, SITE)):
            with house.database.unit(GUARD, site_id) as unit:
                made = people.add_person(unit, house.vault, NewPerson(name="Ada", basis=Basis.CONSENT))
                told = {"basis": Basis.CONSENT, "notice": "1"}
                assert people.enrol_face(unit, house.recogniser, made.id, photos(seed), **told).enrolled  # type: ignore[arg-type]
                known[seed] = made.id
        with house.unit() as unit:  # of one of them what is kept was damaged
            broken = text("UPDATE people_templates SET template = :bad WHERE person_id = :who")
            unit.rows.execute(broken, {"bad": b"\x02damaged", "who": known[4]})
        refused = handed_over(folder)
        assert (refused.returncode, "No decider is named" in refused.stderr) == (2, True)
        running = Running.make(tmp_path / "decider", server_key(house)).start()
    try:
        configure(folder, running.settings(timeout_seconds=30.0))
        done = handed_over(folder)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"faces": 3, "unreadable": [known[4]]}
        again = handed_over(folder)
        assert json.loads(again.stdout) == {"faces": 0, "unreadable": [known[4]]}
        with closing(Site(folder).house) as house:
            for seed, site_id, found in ((1, SITE, 1), (3, OTHER_SITE, 3), (3, SITE, None), (4, SITE, None)):
                with house.database.unit(GUARD, site_id) as unit:
                    who = people.identify_face(unit, house.recogniser, near(seed, 9), one_in=200)
                    assert who == (known[found] if found else None)
            with house.unit() as unit:
                assert count(unit, "people_templates WHERE length(template) > 0") == 1
                assert count(unit, "gallery_generations WHERE state != 'retired'") == 0
                assert count(unit, "vault_subject_keys WHERE subject_id LIKE 'seal_%'") == 0
                assert count(unit, "vault_subject_keys WHERE subject_id LIKE 'rotation_%'") == 0
            with house.database.unit(GUARD, SITE) as unit:
                assert house.recogniser.unreadable(unit) == {known[4]}
                assert [one.event for one in list_entries(unit, PageRequest(None, 50)).items].count(
                    "decider.faces-handed-over"
                ) == 1
                told = export_person(unit, house.vault, known[1], purpose="asked-for")["face"]
                assert told["template"] is None
    finally:
        running.kill()


def test_a_decider_is_no_site_and_a_site_no_decider(tmp_path: Path) -> None:
    with closing(create_house(tmp_path / "site")) as house:
        running = Running.make(tmp_path / "decider", server_key(house))
    words = [*PROGRAM, "--folder", str(running.folder), "--json", "serve"]
    served = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (served.returncode, "doorward-decider serve" in served.stderr) == (6, True)
    words = [*PROGRAM, "--folder", str(running.folder), "--json", "audit", "verify"]
    assert subprocess.run(words, capture_output=True, timeout=60, check=False).returncode == 0
    with closing(open_house(running.folder)) as there:
        assert not there.recogniser.matcher.is_elsewhere()
