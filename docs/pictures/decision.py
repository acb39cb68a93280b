"""Draws docs/pictures/decision.png: two real decisions about made-up people, rule by rule.

Run it from the top folder as `.venv/bin/python docs/pictures/decision.py`.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
from PIL import Image, ImageDraw, ImageFont

from doorward.vision.faces import detect

OUT = Path(__file__).with_name("decision.png")
DOORWARD = str(Path(sys.executable).with_name("doorward"))
CARD = "04A1B2C3"
SIZE = (1180, 980)
INK, GREY, GREEN, RED, PAPER = "#1d2430", "#687385", "#157f3d", "#b3261e", "#ffffff"
PICTURE = (400, 300)


def doorward(site: str, *words: str) -> list[dict[str, Any]]:
    """The answers of one command."""
    done = subprocess.run(  # noqa: S603  our own command
        [DOORWARD, "--folder", site, "--json", *words], capture_output=True, text=True, check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def decisions(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Ada before the camera with her card, then a stranger with it: the picture and every rule's answer."""
    site, pictures = str(folder / "site"), folder / "samples"
    doorward(site, "samples", str(pictures))
    doorward(site, "init")
    doorward(site, "enrol", "Ada Example", *(str(pictures / f"ada-{n}.jpg") for n in (1, 2, 3)))
    doorward(site, "person", "card", "Ada Example", CARD)
    doorward(site, "gate", "add", "front", "--factors", "card + face", "--frames", "1")
    doorward(site, "grant", "Ada Example", "front")
    found = []
    for name in ("ada-4.jpg", "stranger-1.jpg"):
        doorward(site, "watch", "front", str(pictures / name), "--card", CARD)
        passage = doorward(site, "events", "--limit", "1")[0]["passage"]
        found.append((pictures / name, doorward(site, "why", passage)[0]))
    return found


def seen(path: Path) -> Image.Image:
    """The picture as the camera took it, with what the detector found."""
    pixels = cv2.imread(str(path))
    assert pixels is not None
    found = detect(pixels)[0].box
    left, top = int(found.x), int(found.y)
    corner = (left + int(found.width), top + int(found.height))
    cv2.rectangle(pixels, (left, top), corner, (90, 220, 60), 4, cv2.LINE_AA)
    return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)).resize(PICTURE)


def draw(sheet: Image.Image, at: int, path: Path, why: dict[str, Any]) -> None:
    """One decision: the picture on the left, the rules on the right, the verdict below the picture."""
    pen = ImageDraw.Draw(sheet)
    sheet.paste(seen(path), (30, at))
    opens = why["state"] == "opened"
    word, colour = ("OPEN", GREEN) if opens else ("SHUT", RED)
    pen.text((30, at + 318), word, font=ImageFont.load_default(44), fill=colour)
    pen.text((160, at + 338), why["because"], font=ImageFont.load_default(24), fill=INK)
    notes = (
        ("card 04A1... + face, a permit for 5 s", "on the log before the barrier moves")
        if opens
        else ("the same card, another face", "on the log as well")
    )
    for line, note in enumerate(notes):
        pen.text((30, at + 378 + 26 * line), note, font=ImageFont.load_default(18), fill=GREY)
    for number, rule in enumerate(why["rules"]):
        line = at + 4 + 34 * number
        passed = rule["passed"]
        pen.ellipse((470, line + 4, 488, line + 22), fill=GREEN if passed else RED)
        pen.text((505, line), rule["rule"], font=ImageFont.load_default(21), fill=INK)
        said = rule["detail"] if passed else f"{rule['detail']}: {rule['refusal']}"
        pen.text((690, line), said, font=ImageFont.load_default(21), fill=GREY if passed else RED)


def main() -> None:
    """Write the picture."""
    sheet = Image.new("RGB", SIZE, PAPER)
    with TemporaryDirectory() as folder:
        for number, (path, why) in enumerate(decisions(Path(folder))):
            draw(sheet, 30 + 480 * number, path, why)
    ImageDraw.Draw(sheet).line((30, 490, SIZE[0] - 30, 490), fill="#d5dae2", width=2)
    sheet.quantize(128).save(OUT, optimize=True)


if __name__ == "__main__":
    main()
