"""The main job from the command line, on files, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """One free portrait as four pictures that differ as snapshots do."""
    portrait: NDArray[np.uint8] = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    image = np.ascontiguousarray(portrait[:320, 60:380, ::-1])
    made = []
    for number, (angle, light) in enumerate([(0, 0), (3, 12), (-3, -10), (5, 5)]):
        turn = cv2.getRotationMatrix2D((160, 160), angle, 1.0)
        turned = cv2.warpAffine(image, turn, (320, 320), borderMode=cv2.BORDER_REFLECT)
        path = tmp_path / f"photo{number}.png"
        cv2.imwrite(str(path), cv2.convertScaleAbs(turned, alpha=1.0, beta=light))
        made.append(path)
    return made


@pytest.fixture
def doorward(tmp_path: Path) -> Run:
    def run(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        site = ("--folder", str(tmp_path / "site"), "--json")
        program = (sys.executable, "-c", "from doorward.app.cli import main; main()")
        done = subprocess.run([*program, *words, *site], capture_output=True, text=True, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    return run


def test_a_face_with_its_card_opens_a_door_and_a_photo_alone_never_does(
    doorward: Run, photos: list[Path], tmp_path: Path
) -> None:
    assert doorward("events")[0] == 5, "no site yet"
    assert doorward("init")[0] == 0
    assert doorward("init")[0] == 6, "never overwritten"
    (tmp_path / "notes.jpg").write_text("no picture")
    words = [str(photo) for photo in photos[:3]]
    code, lines, _ = doorward("enrol", "Ada Example", *words, str(tmp_path / "notes.jpg"))
    assert code == 0 and lines[-1]["enrolled"]
    assert [line["accepted"] for line in lines[:-1]] == [True, True, True, False]
    assert doorward("person", "card", "Ada Example", "04A1B2C3")[0] == 0
    assert doorward("gate", "add", "front", "--factors", "card + face", "--frames", "1")[0] == 0
    assert doorward("gate", "add", "hall", "--factors", "face", "--one-to-many", "--frames", "1")[0] == 0
    assert doorward("grant", "Ada Example", "front")[0] == 0
    assert doorward("grant", "Ada Example", "hall")[0] == 0
    code, lines, _ = doorward("watch", "front", str(photos[3]), "--card", "04A1B2C3")
    assert (code, lines[0]["because"], lines[0]["moved"]) == (0, "granted", True)
    code, lines, _ = doorward("watch", "hall", str(photos[3]))
    assert (code, lines[0]["because"]) == (1, "liveness-needed")
    states = [line["state"] for line in doorward("events")[1]]
    assert states == ["refused", "opened"]
    assert doorward("audit", "verify")[1][0]["whole"]
    assert doorward("person", "forget", "Ada Example")[0] == 0
    code, lines, _ = doorward("watch", "front", str(photos[3]), "--card", "04A1B2C3")
    assert (code, lines[0]["because"]) == (1, "unknown")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("watch", "nowhere", "x.jpg"), 5),
        (("grant", "Nobody", "front"), 5),
        (("gate", "add", "odd", "--factors", "pin"), 2),
        (("vehicle", "add", "!"), 2),
        (("enrol", "Ada"), 2),
        (("no-such-command",), 2),
    ],
)
def test_bad_input_gets_a_sentence_and_its_exit_code(
    doorward: Run, words: tuple[str, ...], code: int
) -> None:
    assert doorward("init")[0] == 0
    left, _, told = doorward(*words)
    assert left == code
    assert told and "Traceback" not in told


def test_a_root_key_open_to_others_stops_everything(doorward: Run, tmp_path: Path) -> None:
    assert doorward("init")[0] == 0
    (tmp_path / "site" / "keys" / "root.key").chmod(0o644)
    code, _, told = doorward("events")
    assert code == 4
    assert "chmod 600" in told
