"""Staff, API keys, approvals and every key, from the command line."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import doorward_verify
from doorward.app.cli import main, root
from doorward.app.house import House, open_house
from doorward.app.keepers import keepers_of
from doorward.core.permissions import EVERY_SITE, Actor
from doorward.people.model import Basis
from doorward.people.model.approvals import Action
from doorward.people.service import NewPerson, add_person, approvals, find_by_name
from doorward.people.service.authentication import identify_caller
from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.service import begin_rotation
from tests.conftest import SteppingClock
from tests.people.staffroom import PASSWORD, Staffroom, quick_passwords

Lines = list[dict[str, Any]]
Say = Callable[..., Lines]
NAME = "Ada Example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Say]:
    mask = os.umask(0o077)

    def run(*words: str, code: int = 0) -> Lines:
        with pytest.raises(SystemExit) as left:
            main(["--folder", str(folder), "--json", *words])
        out, err = capsys.readouterr()
        assert (left.value.code or 0) == code, err
        return [json.loads(line) for line in (out if code == 0 else err).splitlines()]

    run("init")
    yield run
    os.umask(mask)


def with_house(folder: Path, deed: Callable[[House], Any]) -> Any:
    house = open_house(folder)
    try:
        return deed(house)
    finally:
        house.close()


def test_a_colleague_is_invited_by_a_link_and_never_by_a_password(say: Say, folder: Path) -> None:
    (made,) = say("staff", "add", "dana@example.org", "Dana Example", "--role", "administrator")
    assert re.fullmatch(r"https://localhost:8443/welcome#[\w-]{43}", made["link"])
    (listed,) = say("staff", "list")
    assert (listed["login"], listed["state"], listed["roles"]) == (
        "dana@example.org",
        "invited",
        ["administrator (every site)"],
    )
    token = made["link"].partition("#")[2]

    def come(house: House) -> None:
        room = Staffroom(house.database, house.vault, SteppingClock(), quick_passwords())
        room.porter.accept_invitation(token=token, password=PASSWORD)

    with_house(folder, come)
    assert say("staff", "list")[0]["state"] == "open"
    (problem,) = say("staff", "add", "dana@example.org", "Dana Again", "--role", "guard", code=6)
    assert "taken" in problem["detail"]


def test_roles_are_given_and_taken_and_accounts_suspended_reset_and_removed(say: Say) -> None:
    say("staff", "add", "gus", "Gus Example", "--role", "guard", "--site", "site_home")
    held = say("staff", "roles", "gus", "--give", "reception")
    assert held == [{"role": "reception", "site": "every site"}, {"role": "guard", "site": "site_home"}]
    say("staff", "roles", "gus", "--take", "guard", "--site", "site_home")
    say("staff", "suspend", "gus")
    assert say("staff", "list")[0]["state"] == "suspended"
    say("staff", "resume", "gus")
    say("staff", "resume", "gus", code=6)
    assert "#" in say("staff", "reset", "gus")[0]["link"]
    say("staff", "remove", "gus")
    assert say("staff", "list")[0]["state"] == "closed"
    (problem,) = say("staff", "suspend", "nobody", code=5)
    assert "staff list" in problem["detail"]


def test_an_api_key_is_shown_once_scoped_and_revoked(say: Say, folder: Path) -> None:
    words = ("--right", "gates:read", "--right", "people:read", "--days", "30", "--network", "10.1.0.0/16")
    (made,) = say("api-key", "add", "north gate", *words, "--site", "site_a", "--site", "site_b")

    def call(house: House) -> Actor:
        with house.database.reading(Actor("public"), EVERY_SITE) as unit:
            sent, vault = f"Bearer {made['token']}", house.vault
            return identify_caller(unit, vault, cookie=None, authorization=sent, address="10.1.2.3").actor

    rights = with_house(folder, call).rights
    assert set(rights) == {"site_a", "site_b"}
    assert all(sorted(held) == ["gates:read", "people:read"] for held in rights.values())
    (listed,) = say("api-key", "list")
    assert (listed["label"], listed["state"], listed["networks"]) == ("north gate", "open", ["10.1.0.0/16"])
    assert made["token"].split("_", 2)[2] not in json.dumps(listed)
    say("api-key", "revoke", made["id"])
    assert say("api-key", "list")[0]["state"] == "revoked"
    say("api-key", "add", "too much", "--right", "staff:approve", code=4)
    say("api-key", "add", "too long", "--right", "gates:read", "--days", "801", code=2)


def test_what_waits_for_a_second_person_is_listed(say: Say, folder: Path) -> None:
    def propose(house: House) -> None:
        with house.unit() as unit:
            approvals.propose(unit, house.vault, Action.FACE_SEARCH, {"target": "site"}, "a trial")

    with_house(folder, propose)
    (waiting,) = say("approval", "list")
    assert (waiting["action"], waiting["approved_by"]) == ("gates.face-search", None)
    assert say("approval", "list", "--site", "*") == []


def enrolled(folder: Path, count: int = 3) -> None:
    def deed(house: House) -> None:
        with house.unit() as unit:
            for number in range(count):
                add_person(unit, house.vault, NewPerson(name=f"{NAME} {number}", basis=Basis.CONTRACT))

    with_house(folder, deed)


def is_known(folder: Path, number: int = 0) -> bool:
    def deed(house: House) -> bool:
        with house.unit() as unit:
            return bool(find_by_name(unit, house.vault, f"{NAME} {number}"))

    return bool(with_house(folder, deed))


def test_keys_are_shown_rotated_and_never_printed(say: Say, folder: Path) -> None:
    enrolled(folder)
    before = {line["key"]: line for line in say("keys", "show")}
    assert before["wrap.people"]["generations"] == [1] and before["wrap.people"]["days"] == 0
    (done,) = say("keys", "rotate", "blind.blind-name")
    assert done == {"key": "blind.blind-name", "generation": 2, "moved": 3}
    rotated = say("keys", "rotate", "--all")
    assert {line["key"] for line in rotated} == set(before) - {"sign.decider", "sign.gates", "sign.matcher"}
    assert [line["moved"] for line in say("keys", "ratchet")] == [3, 0]
    assert say("keys", "rekey") == [{"key": "open.database", "generation": 3}]
    after = {line["key"]: line for line in say("keys", "show")}
    assert after["wrap.people"]["generations"] == [3]
    assert all(line["left"] == 0 and line["can_rotate"] for line in after.values())
    assert is_known(folder)
    say("keys", "rotate", code=2)
    say("keys", "rotate", "seal.nothing", code=2)


def test_a_stopped_rotation_shows_what_is_left_and_goes_on(say: Say, folder: Path) -> None:
    enrolled(folder)
    name = KeyName(Use.WRAP, Purpose.PEOPLE)
    with_house(
        folder,
        lambda house: begin_rotation(house.database, house.vault, name, keepers_of(house.vault).movers),
    )
    half = next(line for line in say("keys", "show") if line["key"] == "wrap.people")
    assert (half["generations"], half["left"]) == ([2, 1], 3)
    assert say("keys", "finish") == [{"key": "wrap.people", "generation": 2, "moved": 3}]
    assert say("keys", "finish") == [{"half_done": 0}]
    assert is_known(folder)


def test_the_root_moves_to_a_fresh_key_another_file_and_a_passphrase(
    say: Say, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(folder)
    first = (folder / "keys" / "root.key").read_bytes()
    assert say("keys", "root")[0]["custodian"] == "file"
    assert (folder / "keys" / "root.key").read_bytes() != first
    elsewhere = tmp_path / "token.key"
    say("keys", "root", "--new-file", str(folder / "keys" / "root.key"), code=2)
    say("keys", "root", "--new-file", str(folder / "keys" / "root.key" / "x.key"), code=7)
    assert is_known(folder)
    say("keys", "root", "--new-file", str(elsewhere))
    say("keys", "show", code=4)
    monkeypatch.setenv("DOORWARD_KEYS__FILE", str(elsewhere))
    assert is_known(folder)
    phrase = "seven quiet violet kettles"
    words = ["--folder", str(folder), "keys", "root", "--new-passphrase"]
    answer = CliRunner().invoke(root, words, input=f"{phrase}\n{phrase}\n")
    assert answer.exit_code == 0 and phrase not in answer.output
    say("keys", "show", code=2)
    monkeypatch.delenv("DOORWARD_KEYS__FILE")
    monkeypatch.setenv("DOORWARD_KEYS__PASSPHRASE", phrase)
    assert is_known(folder)


def test_a_restored_copy_opens_the_living_by_the_key_set_and_forgets_the_erased(
    say: Say, folder: Path
) -> None:
    enrolled(folder)
    copy = (folder / "data" / "doorward.db").read_bytes()
    say("person", "forget", f"{NAME} 1")
    say("keys", "ratchet")
    (folder / "data" / "doorward.db").write_bytes(copy)
    for beside in ("doorward.db-wal", "doorward.db-shm"):
        (folder / "data" / beside).unlink(missing_ok=True)
    say("keys", "adopt", str(folder / "nowhere"), code=5)
    say("keys", "adopt", str(folder / "keys" / "root.key"), code=8)
    (adopted,) = say("keys", "adopt", str(folder / "keys" / "keyset.sealed"))
    assert (adopted["fitted"], len(adopted["erased"])) == (2, 1)
    assert [is_known(folder, number) for number in range(3)] == [True, False, True]


def test_a_receipt_is_checked_offline_with_the_keys_that_are_shown(
    say: Say, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolled(folder)
    receipt = tmp_path / "receipt.json"
    say("person", "forget", f"{NAME} 1", "--receipt", str(receipt))
    (ours,) = say("keys", "public", "vault")
    (log,) = say("keys", "public", "audit")
    assert log["public"] == say("audit", "key")[0]["public_key"]
    words = [str(receipt), "--key", log["public"], "--receipt-key", ours["public"]]
    assert doorward_verify.main(words) == 0
    assert "was erased" in capsys.readouterr().out
    receipt.write_text(receipt.read_text().replace('"photos":0', '"photos":1'))
    assert doorward_verify.main(words) == 1
    assert doorward_verify.main([str(receipt), "--key", log["public"], "--receipt-key", log["public"]]) == 1
