"""Whatever a route takes, a command takes as well; an empty word is a mistake, and never means everything."""

from pathlib import Path

import pytest

from tests.journeys.conftest import Terminal

KEY = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
OTHER_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"


def test_an_order_ends_by_itself_at_the_time_that_was_named(doorward: Terminal) -> None:
    for verb in ("lock", "unlock", "lockdown"):
        given = doorward(verb, "everywhere", "--reason", "drill", "--until", "+30m").one
        assert given["until"] > given["since"]
    assert {line["until"] is None for line in doorward("orders").lines} == {False}
    assert doorward("lock", "everywhere", "--reason", "drill", "--until", "2020-01-01").code == 2
    assert doorward("evacuate", "--reason", "drill", "--until", "+30m").code == 2, "somebody must end it"
    assert doorward("evacuate", "--reason", "drill").one["until"] is None


def test_a_gate_may_have_no_contact(doorward: Terminal) -> None:
    assert doorward("gate", "add", "front", "--factors", "card", "--no-contact").code == 0
    assert doorward("gate", "show", "front").one["contact"] is False
    assert doorward("gate", "change", "front", "--contact").one["contact"] is True
    assert doorward("gate", "change", "front", "--frames", "2").one["contact"] is True


def test_a_site_says_for_how_long_passages_are_kept(doorward: Terminal) -> None:
    assert doorward("site", "set", "--keep-passages-days", "30").one["keep_passages_days"] == 30
    assert doorward("site", "set", "--time-zone", "Europe/Berlin").one["keep_passages_days"] == 30
    assert doorward("site", "set", "--keep-passages-days", "0").code == 2


def test_people_are_registered_with_all_that_is_known_of_them(doorward: Terminal) -> None:
    assert doorward("person", "add", "Ada Example", "--exempt").code == 0
    shown = doorward("person", "show", "Ada Example", "--purpose", "guard-check").one
    assert shown["passback_exempt"] is True
    code = str(doorward.folder / "vera.svg")
    words = ("visitor", "invite", "Vera Example", "--host", "Ada Example", "--until", "+4h", "--code", code)
    assert doorward(*words, "--basis", "consent", "--id-number", "X1234567").code == 0
    shown = doorward("person", "show", "Vera Example", "--purpose", "guard-check").one
    assert (shown["basis"], shown["id_number"]) == ("consent", "X1234567")


def test_an_agent_changes_its_gates_name_and_key(doorward: Terminal) -> None:
    gates = [doorward("gate", "add", name, "--factors", "card").one["gate"] for name in ("front", "back")]
    assert doorward("agent", "add", "box", "front", "--key", KEY).code == 0
    assert doorward("agent", "change", "box", "--add", "back", "--drop", "front").one["gates"] == gates[1:]
    assert doorward("agent", "change", "box", "--name", "hall-box", "--key", OTHER_KEY).code == 0
    (held,) = doorward("agent", "list").lines
    assert (held["name"], held["public_key"], held["gates"]) == ("hall-box", OTHER_KEY, ["back"])
    assert doorward("agent", "change", "hall-box", "--key", "no key").code == 2


@pytest.fixture
def site(doorward: Terminal) -> Terminal:
    """A gate, a vehicle and a person."""
    for words in (
        ("gate", "add", "front", "--factors", "card"),
        ("person", "add", "Ada Example"),
        ("vehicle", "add", "KA 47 TRF"),
        ("schedule", "add", "hours", "mon-fri 08:00-18:00"),
    ):
        assert doorward(*words).code == 0
    return doorward


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (("grant", "Ada Example", "front", "--during", ""), 5),
        (("gate", "change", "front", "--factors", ""), 2),
        (("gate", "change", "front", "--open-for", ""), 2),
        (("gate", "change", "front", "--to", ""), 5),
        (("gate", "add", "hall", "--to", ""), 5),
        (("zone", "add", "yard", "--timed", "hard", "--again-after", ""), 2),
        (("schedule", "change", "hours", "--hours", ""), 2),
        (("schedule", "change", "hours", "--holidays", ""), 2),
        (("events", "--gate", ""), 5),
        (("events", "--who", ""), 2),
        (("inside", ""), 5),
        (("why", "--gate", ""), 5),
        (("person", "list", "--group", ""), 5),
        (("person", "list", "--group", "nobody"), 5),
        (("vehicle", "add", "MB 803 LN", "--owner", ""), 2),
        (("vehicle", "add", "MB 803 LN", "--owner", "KA 47 TRF"), 5),
        (("staff", "add", "dana", "Dana Example", "--role", "guard", "--site", ""), 2),
        (("staff", "list", "--site", ""), 2),
        (("approval", "list", "--site", ""), 2),
    ],
)
def test_an_empty_or_unknown_word_is_refused(site: Terminal, typed: tuple[str, ...], code: int) -> None:
    answer = site(*typed)
    assert answer.code == code, answer
    assert not answer.lines


@pytest.mark.parametrize("name", ["everything", "lockdown", "fire"])
def test_no_place_bears_a_word_by_which_more_is_released(doorward: Terminal, name: str) -> None:
    assert doorward("gate", "add", name).code == 2
    assert doorward("zone", "add", name).code == 2


def test_keys_are_named_or_all_of_them_are_meant(doorward: Terminal) -> None:
    assert doorward("keys", "rotate", "seal.staff", "--all").code == 2


def test_a_code_is_for_its_owner_alone_whatever_lay_there_before(doorward: Terminal, tmp_path: Path) -> None:
    assert doorward("person", "add", "Ada Example").code == 0
    for name, begins in (("code.svg", b"<?xml"), ("code.png", b"\x89PNG")):
        path, other = tmp_path / name, tmp_path / f"other-{name}"
        other.write_text("of somebody else")
        path.symlink_to(other)
        assert doorward("person", "qr", "Ada Example", "--out", str(path)).code == 0
        assert other.read_text() == "of somebody else" and not path.is_symlink()
        assert path.read_bytes().startswith(begins) and path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)
        assert doorward("person", "qr", "Ada Example", "--out", str(path)).code == 0
        assert path.stat().st_mode & 0o777 == 0o600
