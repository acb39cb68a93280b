"""The main job from the command line, on files."""

import json
import subprocess
import sys
from pathlib import Path

from tests.journeys.conftest import Terminal


def test_a_face_with_its_card_opens_a_door_and_a_photo_alone_never_does(
    doorward: Terminal, photos: list[Path], tmp_path: Path
) -> None:
    assert doorward("init").code == 6, "never overwritten"
    (tmp_path / "notes.jpg").write_text("no picture")
    words = [str(photo) for photo in photos[:3]]
    enrolled = doorward("enrol", "Ada Example", *words, str(tmp_path / "notes.jpg"))
    assert enrolled.code == 0 and enrolled.lines[-1]["enrolled"]
    assert [line["accepted"] for line in enrolled.lines[:-1]] == [True, True, True, False]
    assert doorward("person", "card", "Ada Example", "04A1B2C3").code == 0
    assert doorward("gate", "add", "front", "--factors", "card + face", "--frames", "1").code == 0
    assert doorward("gate", "add", "hall", "--factors", "face", "--one-to-many", "--frames", "1").code == 0
    assert doorward("grant", "Ada Example", "front").code == 0
    assert doorward("grant", "Ada Example", "hall").code == 0
    watched = doorward("watch", "front", str(photos[3]), "--card", "04A1B2C3")
    assert (watched.code, watched.lines[0]["because"], watched.lines[0]["moved"]) == (0, "granted", True)
    watched = doorward("watch", "hall", str(photos[3]))
    assert (watched.code, watched.lines[0]["because"]) == (1, "liveness-needed")
    assert [line["state"] for line in doorward("events").lines] == ["refused", "opened"]
    assert doorward("audit", "verify").one["whole"]
    assert doorward("person", "forget", "Ada Example").code == 0
    watched = doorward("watch", "front", str(photos[3]), "--card", "04A1B2C3")
    assert (watched.code, watched.lines[0]["because"]) == (1, "unknown")


def test_many_are_enrolled_from_a_folder_each_and_whoever_cannot_be_is_told_why(
    doorward: Terminal, photos: list[Path], tmp_path: Path
) -> None:
    for name, kept in (("Ada_Example", photos), ("Bo_Example", photos[:1]), ("Cy_Example", [])):
        (tmp_path / "staff" / name).mkdir(parents=True)
        for photo in kept:
            (tmp_path / "staff" / name / photo.name).write_bytes(photo.read_bytes())
    answer = doorward("enrol-folder", str(tmp_path / "staff"))
    assert answer.code == 2, "not everybody was"
    assert [(line["folder"], line["enrolled"]) for line in answer.lines] == [
        ("Ada_Example", True),
        ("Bo_Example", False),
        ("Cy_Example", False),
    ]
    assert all(line["reason"] for line in answer.lines[1:])
    assert len(doorward("person", "list").lines) == 1, "nothing is kept of whoever was not enrolled"


def test_as_a_program_of_its_own_it_answers_and_leaves_with_the_exit_code(doorward: Terminal) -> None:
    program = (sys.executable, "-c", "from doorward.app.cli import main; main()")
    words = ("gate", "show", "nowhere", "--folder", str(doorward.folder), "--json")
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert json.loads(done.stderr)["problem"] == "not-found"


def test_a_root_key_open_to_others_stops_everything(doorward: Terminal) -> None:
    (doorward.folder / "keys" / "root.key").chmod(0o644)
    answer = doorward("events")
    assert answer.code == 4
    assert "chmod 600" in answer.aside
