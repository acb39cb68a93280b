"""The plan, the people and the staff's deeds of a site, as somebody types them."""

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.journeys.conftest import Answer, Terminal, copied


@pytest.fixture
def view(tmp_path: Path) -> str:
    """What a camera sees while nobody stands before it."""
    path = tmp_path / "empty.png"
    cv2.imwrite(str(path), np.zeros((120, 160, 3), np.uint8))
    return str(path)


@pytest.fixture(scope="module")
def furnished(new_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people with cards, an office they may enter, and a way out."""
    doorward = copied(new_site, tmp_path_factory.mktemp("furnished") / "site")
    for words in (
        "zone add office --capacity 2",
        "gate add front --factors card --to office",
        "gate add back --factors card --from office --exit",
        "group add staff",
    ):
        assert doorward(*words.split()).code == 0
    for name, card in (("Ada Example", "04A1B2C3"), ("Bo Example", "04A1B2C4")):
        assert doorward("person", "add", name).code == 0
        assert doorward("person", "card", name, card).code == 0
    assert doorward("group", "join", "staff", "Ada Example", "Bo Example").code == 0
    assert doorward("grant", "staff", "front").code == 0
    return doorward.folder


@pytest.fixture
def office(furnished: Path, tmp_path: Path) -> Terminal:
    """A furnished site of one's own."""
    return copied(furnished, tmp_path / "office")


def passing(doorward: Terminal, gate: str, view: str, card: str) -> str:
    """Why the gate opened, or did not."""
    watched = doorward("watch", gate, view, "--card", card)
    found = [str(line["because"]) for line in watched.lines if line.get("seen")]
    assert found, watched
    return found[0]


def test_a_plan_is_typed_shown_changed_and_taken_down(doorward: Terminal) -> None:
    set_up = doorward("site", "set", "--time-zone", "Europe/Berlin", "--country", "de", "--region", "be").one
    assert (set_up["time_zone"], set_up["holidays_of"]) == ("Europe/Berlin", "DE-BE")
    assert doorward("site", "set", "--identification", "1:N").one["identification"] == "1:n"
    assert doorward("site", "set", "--closed-on", "2030-12-24").one["closed_on"] == ["2030-12-24"]
    assert doorward("site", "set", "--closed-on", "none").one["closed_on"] == []
    assert doorward("site", "show").one["time_zone"] == "Europe/Berlin", "what is not named stays"
    zone = doorward("zone", "add", "office", "--capacity", "40", "--timed", "hard", "--again-after", "5m").one
    assert doorward("zone", "change", "office", "--capacity", "-1").one["capacity"] is None
    assert doorward("group", "add", "staff").code == 0
    assert doorward("zone", "change", "office", "--always-admit", "staff").one["always_admitted"] == ["staff"]
    assert doorward("zone", "change", "office", "--always-admit", "none").one["always_admitted"] == []
    assert doorward("zone", "show", zone["zone"]).one["timed"] == "hard 5m"
    gate = doorward("gate", "add", "front", "--factors", "card + pin", "--to", "office").one
    changed = doorward("gate", "change", "front", "--open-for", "8s", "--second-person-within", "15s").one
    assert (changed["opens_for"], changed["second_person_within"], changed["to"]) == ("8s", "15s", "office")
    assert doorward("zone", "remove", "office").code == 6, "a gate leads into it"
    assert doorward("level", "add", "ground", "front").code == 0
    assert doorward("gate", "remove", "front").code == 6, "a level holds it"
    assert [line["gates"] for line in doorward("level", "list").lines] == [["front"]]
    assert doorward("level", "remove", "ground").code == 0
    assert doorward("gate", "remove", gate["gate"]).code == 0
    assert doorward("zone", "remove", "office").code == 0
    assert not doorward("gate", "list").lines


def test_hours_are_typed_as_on_a_notice_and_bind_a_grant(office: Terminal, view: str) -> None:
    added = office("schedule", "add", "never-hours", "never").one
    assert added["hours"] == "never"
    assert office("grant", "Ada Example", "front", "--during", "never-hours").code == 0
    staff = next(line for line in office("grants").lines if line["holder"] == "staff")
    assert office("revoke", staff["grant"]).code == 0
    assert passing(office, "front", view, "04A1B2C3") == "out-of-hours"
    assert office("schedule", "remove", "never-hours").code == 6, "a grant uses it"
    always = office(
        "schedule", "change", "never-hours", "--hours", "mon-sun 00:00-24:00", "--holidays", "as-usual"
    )
    assert always.one["hours"] == "always"
    assert passing(office, "front", view, "04A1B2C3") == "granted"
    shown = office(
        "schedule",
        "show",
        "never-hours",
    ).one
    assert len(shown["next_days"]) == 7 and shown["open_now"]


def test_everybody_inside_is_counted_and_called_by_name_only_for_a_purpose(
    office: Terminal, view: str
) -> None:
    assert passing(office, "front", view, "04A1B2C3") == "granted"
    (present,) = office("inside").lines
    assert present["zone"] == "office" and "name" not in present
    (named,) = office("inside", "office", "--purpose", "fire-drill").lines
    assert named["name"] == "Ada Example"
    ledger = office("person", "export", "Ada Example", "--out", str(office.folder / "ada.json"))
    assert ledger.code == 0
    assert "fire-drill" in (office.folder / "ada.json").read_text()
    assert office("place", "Ada Example", "outside", "--reason", "misread").code == 0
    assert not office("inside").lines


def test_every_rule_answers_why(office: Terminal, view: str) -> None:
    assert passing(office, "front", view, "04A1B2C3") == "granted"
    assert office("person", "suspend", "Ada Example").code == 0
    assert passing(office, "front", view, "04A1B2C3") == "suspended"
    told = office("why").one
    assert (told["because"], told["rules"][-1]["answer"]) == ("suspended", "refuses")
    passage = office("events", "--state", "opened", "--who", "Ada Example").lines[0]["passage"]
    rules = office("why", passage).one["rules"]
    assert all(rule["passed"] for rule in rules) and len(rules) > 8
    assert office("person", "resume", "Ada Example").code == 0
    assert passing(office, "front", view, "04A1B2C3") == "granted"


def test_orders_stand_above_grants_until_released(office: Terminal, view: str) -> None:
    assert office("lockdown", "--reason", "drill").one["where"] == "everywhere"
    assert passing(office, "front", view, "04A1B2C3") == "lockdown"
    assert passing(office, "back", view, "04A1B2C3") == "exit", "nobody is locked in"
    assert office("release", "lockdown", "--reason", "drill").one["verb"] == "lockdown"
    assert office("lock", "front", "--reason", "maintenance", "--ticket", "T-1042").code == 0
    assert [line["ticket"] for line in office("orders").lines] == ["T-1042"]
    assert passing(office, "front", view, "04A1B2C3") == "locked"
    assert office("release", "front", "--reason", "maintenance").code == 0
    assert office("unlock", "office", "--reason", "delivery").code == 0
    assert passing(office, "front", view, "04FFFFFF") == "unlocked"
    assert office("evacuate", "--reason", "drill").code == 0
    assert len(office("release", "everything", "--reason", "drill").lines) == 2
    assert office("release", "everything", "--reason", "drill").code == 5


def test_a_rollcall_finds_the_missing_and_prints_them(office: Terminal, view: str, tmp_path: Path) -> None:
    for card in ("04A1B2C3", "04A1B2C4"):
        assert passing(office, "front", view, card) == "granted"
    started = office("rollcall", "start", "--drill", "--zone", "office").one
    assert (started["expected"], started["missing"]) == (2, 2)
    assert office("rollcall", "safe", "Ada Example", "--at", "car-park").one["missing"] == 1
    shown = office("rollcall", "show", "--names").one
    assert [(one["who"], one["state"]) for one in shown["people"]] == [
        ("Bo Example", "MISSING"),
        ("Ada Example", "safe"),
    ]
    page = tmp_path / "page.html"
    assert office("rollcall", "show", "--page", str(page)).code == 0
    assert "MISSING" in page.read_text() and page.stat().st_mode & 0o077 == 0
    assert office("rollcall", "end").one["missing"] == 1
    assert office("rollcall", "end").code == 6


def test_a_visitor_comes_with_a_code_and_leaves_for_good(office: Terminal, tmp_path: Path) -> None:
    code = tmp_path / "vera.svg"
    words = ("visitor", "invite", "Vera Example", "--host", "Ada Example", "--code", str(code), "--until")
    visitor = office(*words, "+4h", "--gate", "front").one["visitor"]
    assert "<svg" in code.read_text()
    assert [line["where"] for line in office("grants", "Vera Example").lines] == ["front"]
    (listed,) = office("visitor", "list", "--purpose", "reception").lines
    assert (listed["id"], listed["name"], listed["state"]) == (visitor, "Vera Example", "valid")
    assert office("visitor", "end", "Vera Example").code == 0
    assert [line["state"] for line in office("visitor", "list").lines] == ["over"]
    assert office("visitor", "end", "Ada Example").code == 2, "a member is no visitor"


def test_a_vehicle_is_known_listed_and_forgotten_by_its_plate(office: Terminal) -> None:
    vehicle = office("vehicle", "add", "KA 47 TRF", "--owner", "Ada Example").one["vehicle"]
    assert office("vehicle", "add", "ka-47-trf").code == 6
    assert office("vehicle", "deny", "KA47TRF").one["listing"] == "deny"
    assert office("vehicle", "suspend", vehicle).code == 0
    (listed,) = office("vehicle", "list").lines
    assert (listed["listing"], listed["suspended"], "plate" in listed) == ("deny", True, False)
    assert office("vehicle", "show", vehicle, "--purpose", "guard-check").one["plate"] == "KA47TRF"
    assert office("vehicle", "forget", "KA 47 TRF").one["erased"] == vehicle


def test_somebody_without_a_face_has_the_equal_path(office: Terminal) -> None:
    kinds = [line["kind"] for line in office("person", "credentials", "Ada Example").lines]
    assert kinds == ["card"]
    (held,) = office("person", "credentials", "Ada Example").lines
    assert office("person", "take", "Ada Example", held["id"]).code == 0
    assert office("person", "limit", "Ada Example", "--until", "2030-05-31", "--exempt").one[
        "passback_exempt"
    ]
    assert office("person", "limit", "Ada Example", "--until", "never").one["until"] is None
    assert office("person", "correct", "Ada Example", "--new-name", "Ada Sample").code == 0
    assert office("person", "find", "Ada Example").code == 5
    assert office("person", "show", "ada  sample", "--purpose", "guard-check").one["groups"] == ["staff"]


def test_a_dissolved_group_opens_nothing_and_leaves_its_people(office: Terminal, view: str) -> None:
    assert office("group", "list").lines[0]["members"] == 2
    assert office("group", "leave", "staff", "Bo Example").code == 0
    assert passing(office, "front", view, "04A1B2C4") == "no-grant"
    assert office("group", "remove", "staff").code == 0
    assert passing(office, "front", view, "04A1B2C3") == "no-grant"
    assert office("person", "show", "Ada Example", "--purpose", "guard-check").one["groups"] == []
    assert office("group", "remove", "staff").code == 5


def test_an_agent_is_known_by_its_key_until_revoked_even_when_its_gate_is_gone(office: Terminal) -> None:
    key = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
    added = office("agent", "add", "box", "front", "--key", key).one
    assert added["server_public_key"]
    assert office("open", "front", "--reason", "visitor").one["passage"]
    assert office("open", "back", "--reason", "visitor").code == 7, "nobody stands there to open it"
    assert office("gate", "remove", "front").code == 0
    assert office("agent", "revoke", "box").code == 0
    assert [(line["id"], line["revoked"]) for line in office("agent", "list").lines] == [
        (added["agent"], True)
    ]


def test_alarms_wait_until_somebody_has_looked(office: Terminal, view: str) -> None:
    assert passing(office, "back", view, "04FFFFFF") == "exit"
    (alarm,) = office("alarm", "list").lines
    assert (alarm["kind"], alarm["place"]) == ("exit-unknown", "back")
    assert office("alarm", "acknowledge", "all").one["acknowledged"] == [alarm["alarm"]]
    assert not office("alarm", "list").lines
    (old,) = office("alarm", "list", "--old").lines
    assert old["acknowledged_by"] == "system:console"


def test_names_and_plates_never_enter_the_log(office: Terminal, view: str, tmp_path: Path) -> None:
    assert office("vehicle", "add", "KA 47 TRF", "--label", "fleet 7").code == 0
    assert passing(office, "front", view, "04A1B2C3") == "granted"
    assert office("person", "list", "--purpose", "guard-check").lines[0]["name"].endswith("Example")
    assert office("audit", "export", str(tmp_path / "log")).code == 0
    log = "".join(path.read_text() for path in (tmp_path / "log").iterdir())
    assert "person.viewed" in log and "guard-check" in log
    for secret in ("Ada", "Bo Example", "KA47TRF", "fleet 7", "04A1B2C3"):
        assert secret not in log


def test_people_see_tables_with_whole_ids_and_times_on_the_clock_of_the_site(
    office: Terminal, view: str
) -> None:
    assert office("site", "set", "--time-zone", "Pacific/Kiritimati").code == 0
    assert passing(office, "front", view, "04A1B2C3") == "granted"
    (event,) = office("events").lines
    code, out, _ = office.plain("events")
    assert code == 0
    assert event["passage"] in out and event["subject"] in out
    assert event["at"].endswith("+00:00") and event["at"][:19].replace("T", " ") not in out
    code, out, aside = office.plain("watch", "front", view, "--card", "04A1B2C3")
    assert code == 0 and f"OPEN granted {event['subject']} (card" in out
    assert "1 opened of 1 decided" in aside


def test_a_name_is_shown_as_it_was_typed(office: Terminal) -> None:
    name = "Cy [red]Example[/] :car:"
    assert office("person", "add", name).code == 0
    assert name in office.plain("person", "list", "--purpose", "guard-check")[1]


def test_json_is_an_object_a_line_and_errors_are_too(office: Terminal) -> None:
    answers: list[Answer] = [
        office("gate", "show", "nowhere"),
        office("lock"),
        office("no-such"),
        office("lock", "x"),
    ]
    assert [answer.code for answer in answers] == [5, 2, 2, 2]
    for answer in answers:
        (problem,) = map(json.loads, answer.aside.splitlines())
        assert problem["problem"] in ("not-found", "invalid") and problem["detail"]
    assert not any(answer.lines for answer in answers)


def test_a_pin_is_a_line_of_standard_input_where_there_is_no_terminal(
    office: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("7391\n"))
    assert office("person", "pin", "Ada Example").one == {"pin": "set"}
    monkeypatch.setattr("sys.stdin", io.StringIO("1234\n"))
    assert office("person", "pin", "Ada Example").code == 2, "among the first to be guessed"
    kinds = [line["kind"] for line in office("person", "credentials", "Ada Example").lines]
    assert kinds == ["card", "pin"]
    assert office("person", "pin", "Ada Example", "--remove").code == 0


def test_the_log_can_be_read_as_a_whole_and_for_one_person_even_after_erasure(office: Terminal) -> None:
    person = office("person", "find", "Bo Example").lines[0]["id"]
    assert office("person", "show", person, "--purpose", "guard-check").code == 0
    (look,) = office("audit", "list", "--event", "person.viewed").lines
    assert (look["by"], look["subject"], look["facts"]) == (
        "system:console",
        person,
        {"purpose": "guard-check"},
    )
    assert office("person", "forget", "Bo Example").one["erased"] == person
    events = [line["event"] for line in office("audit", "ledger", person).lines]
    assert events[0] == "person.added" and {"person.viewed", "subject.erased"} <= set(events)
    assert office("audit", "ledger", "Bo Example").code == 5, "the name is gone"
