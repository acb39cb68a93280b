"""Whatever is typed wrongly gets a sentence that says what to do, and changes nothing."""

import json
from pathlib import Path

import pytest

from tests.journeys.conftest import Terminal, copied

KEY = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"


@pytest.fixture(scope="module")
def furnished(new_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gate, a zone, a person and a vehicle."""
    doorward = copied(new_site, tmp_path_factory.mktemp("furnished") / "site")
    for words in (
        ("zone", "add", "office"),
        ("gate", "add", "front", "--factors", "card", "--to", "office"),
        ("group", "add", "staff"),
        ("person", "add", "Ada Example"),
        ("vehicle", "add", "KA 47 TRF"),
    ):
        assert doorward(*words).code == 0
    return doorward.folder


@pytest.fixture
def site(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A site of one's own; the folder of work is empty but for a folder and a text."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.jpg").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    return copied(furnished, tmp_path / "site")


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        (("watch", "nowhere", "x.jpg"), 5, "no gate nowhere"),
        (("watch", "frnt", "x.jpg"), 5, "did you mean front?"),
        (("watch", "front", "missing.jpg"), 5, "check the path"),
        (("watch", "front", "empty"), 2, "holds no images"),
        (("watch", "front", "x.jpg", "--region", "mars"), 2, "--region"),
        (("watch", "front", "x.jpg", "--rate", "0"), 2, "--rate"),
        (("gate", "add", "hall", "--factors", "card + iris"), 2, "face, card, qr, pin, plate"),
        (("gate", "add", "hall", "--factors", "pin"), 2, "a PIN alone names nobody"),
        (("gate", "add", "hall", "--one-in", "0"), 2, "at least 1"),
        (("gate", "add", "hall", "--to", "attic"), 5, "no zone attic"),
        (("gate", "add", "front"), 6, "already"),
        (("gate", "add", "everywhere"), 2, "a word of ours"),
        (("gate", "change", "front", "--open-for", "soon"), 2, "such as 30s, 15m, 12h or 7d"),
        (("zone", "add", "office"), 6, "already"),
        (("zone", "add", "yard", "--always-admit", "nobody"), 5, "no group nobody"),
        (("zone", "add", "yard", "--passback", "firm"), 2, "'off', 'soft', 'hard'"),
        (("level", "add", "ground"), 2, "gates"),
        (("schedule", "add", "x", "weekdays nine to five"), 2, "mon-fri 08:00-18:00"),
        (("schedule", "add", "x", "mon 08:00-25:00"), 2, "00:00 to 24:00"),
        (("schedule", "add", "x", "always", "--on", "2030-12-24"), 2, "which hours"),
        (("schedule", "add", "x", "always", "--on", "24.12.2030 closed"), 2, "2030-05-31"),
        (("site", "set", "--time-zone", "Mars/Base"), 2, "Europe/Berlin"),
        (("site", "set", "--country", "ZZ"), 2, "ISO 3166"),
        (("site", "set", "--identification", "2:1"), 2, "--identification"),
        (("grant", "Nobody", "front"), 5, "enrol or add them first"),
        (("grant", "Ada Example", "back"), 5, "no gate back"),
        (("grant", "Ada Example", "front", "--during", "night"), 5, "no schedule night"),
        (("grant", "Ada Example", "front", "--until", "soon"), 2, "Write a time as"),
        (("grant", "Ada Example", "front", "--from", "2030-02-01", "--until", "2030-01-01"), 2, "must end"),
        (("revoke", "grant_x"), 5, "no such grant"),
        (("group", "join", "staff", "Ada Example", "Nobody"), 5, "enrol or add them first"),
        (("group", "add", "staff"), 6, "already"),
        (("person", "show", "Ada Example", "--purpose", "just looking"), 2, "guard-check"),
        (("person", "show", "Ada Example"), 2, "--purpose"),
        (("person", "card", "Ada Example", "1"), 2, "4 to 64"),
        (("person", "qr", "Ada Example", "--out", "code.bmp"), 2, ".svg or .png"),
        (("person", "qr", "Ada Example", "--out", "nowhere/code.svg"), 2, "no folder nowhere"),
        (("person", "forget", "Ada Example", "--receipt", "nowhere/receipt"), 2, "no folder nowhere"),
        (("person", "forget", "KA 47 TRF"), 5, "no person"),
        (("person", "find"), 2, "--id-number"),
        (
            ("visitor", "invite", "V", "--host", "Ada Example", "--until", "2001-01-01", "--code", "v.svg"),
            2,
            "over",
        ),
        (("visitor", "invite", "V", "--host", "Nobody", "--until", "+1h", "--code", "v.svg"), 5, "first"),
        (
            ("visitor", "invite", "V", "--host", "Ada Example", "--until", "+99d", "--code", "v.svg"),
            2,
            "31 days",
        ),
        (("vehicle", "add", "!"), 2, ""),
        (("vehicle", "add", "ka47trf"), 6, "registered already"),
        (("vehicle", "suspend", "XX 11 YY"), 5, "vehicle add"),
        (("enrol", "Bo"), 2, "photos"),
        (("enrol", "Bo", "empty"), 2, "holds no photos"),
        (("enrol", "Bo", "notes.jpg", "--basis", "contract"), 2, "ask for consent"),
        (("enrol-folder", "missing"), 2, "check the path"),
        (("enrol-folder", "empty"), 2, "a folder of photos"),
        (("explain", "missing.jpg"), 5, "check the path"),
        (("lock", "front"), 2, "--reason"),
        (("lock", "front", "--reason", "bored"), 2, "maintenance"),
        (("lock", "front", "--reason", "other", "--ticket", "ask Ada Example"), 2, "number of a ticket"),
        (("lock", "attic", "--reason", "drill"), 5, "attic"),
        (("release", "lockdown", "--reason", "drill"), 5, "In force: none"),
        (("place", "Ada Example", "attic", "--reason", "misread"), 5, "no zone attic"),
        (("forgive", "staff", "--reason", "misread"), 5, "name one person"),
        (("alarm", "acknowledge", "alarm_x"), 5, "no such alarm"),
        (("rollcall", "show"), 5, "rollcall start"),
        (("rollcall", "safe", "Ada Example", "--at", ""), 5, "rollcall start"),
        (("why",), 5, "nothing to explain"),
        (("why", "passage_x"), 5, "no such passage"),
        (("events", "--limit", "999"), 2, "between 1 and 200"),
        (("events", "--since", "yesterday"), 2, "Write a time as"),
        (("agent", "add", "box", "front", "--key", "short"), 2, "32 bytes"),
        (("agent", "add", "box", "back", "--key", KEY), 5, "no gate back"),
        (("audit", "export", "empty"), 6, "name a new one"),
        (("no-such-command",), 2, "No such command"),
    ],
)
def test_wrong_input_gets_a_sentence_that_says_what_to_do(
    site: Terminal, typed: tuple[str, ...], code: int, told: str
) -> None:
    answer = site(*typed)
    assert answer.code == code, answer
    problem = json.loads(answer.aside.splitlines()[-1])
    assert told in problem["detail"]
    assert "Traceback" not in answer.aside


def test_a_refused_enrolment_keeps_nothing_of_somebody_new(site: Terminal) -> None:
    answer = site("enrol", "Bo Example", "notes.jpg", "missing.jpg")
    assert answer.code == 2
    assert [line["accepted"] for line in answer.lines[:-1]] == [False, False]
    assert (answer.lines[-1]["enrolled"], answer.lines[-1]["person"]) == (False, None)
    assert site("person", "find", "Bo Example").code == 5


def test_a_name_that_two_bear_must_be_said_by_id(site: Terminal) -> None:
    twin = site("person", "add", "Ada Example").one["person"]
    assert site("person", "card", "Ada Example", "04A1B2C3").code == 6
    assert len(site("person", "find", "Ada Example").lines) == 2
    assert site("person", "card", twin, "04A1B2C3").code == 0
    assert site("person", "card", twin, "04A1B2C3").code == 6, "somebody holds it"


def test_nothing_is_written_over(site: Terminal, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text("an older one")
    assert site("person", "forget", "Ada Example", "--receipt", str(receipt)).code == 6
    assert receipt.read_text() == "an older one"
    assert site("person", "find", "Ada Example").code == 0, "nobody is erased without the receipt asked for"


def test_without_a_site_each_command_says_how_to_make_one(tmp_path: Path) -> None:
    nowhere = Terminal(tmp_path / "nowhere")
    for typed in (("events",), ("gate", "list"), ("lockdown", "--reason", "threat"), ("watch", "front", "x")):
        answer = nowhere(*typed)
        assert answer.code == 5
        assert "doorward init" in json.loads(answer.aside)["detail"]
