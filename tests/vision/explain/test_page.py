import html
import os
import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from doorward.core.errors import Invalid, NotFound, Unavailable
from doorward.vision.explain import explain
from doorward.vision.explain.page import render
from doorward.vision.explain.panels import Bar, Bars, Figure, Picture, Stage, Subject
from doorward.vision.faces import observe
from doorward.vision.plates import Region
from doorward.vision.plates.rendering import render_plate_scene


@pytest.fixture(scope="module")
def astronaut() -> NDArray[np.uint8]:
    shown = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(shown[:, :, ::-1], np.uint8)


def jpeg(image: NDArray[np.uint8]) -> bytes:
    return np.asarray(cv2.imencode(".jpg", image)[1]).tobytes()


class Outline(HTMLParser):
    """Remembers tags, what they point at, and their text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.places: list[str] = []
        self.attributes: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.places += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "srcset", "data")
        ]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_face_is_explained_stage_by_stage(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    out = explain(jpeg(astronaut), region="eu", out=tmp_path / "why.html")
    outline = Outline(out.read_text())
    words = " ".join(" ".join(outline.text).split())
    for told in (
        "Face 1",
        "Good enough at a door",
        "Sharpness",
        "Distance between the eyes",
        "512 x 512",
        "eu",
    ):
        assert told in words
    assert outline.tags.count("img") >= 3


def test_the_page_is_private_and_reaches_for_nothing(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    out = tmp_path / "why.html"
    out.write_text("an older page")
    out.chmod(0o666)
    before = os.umask(0)
    try:
        explain(jpeg(astronaut), region="eu", out=out)
    finally:
        os.umask(before)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["why.html"]
    page = out.read_text()
    outline = Outline(page)
    assert all(place.startswith("data:image/") for place in outline.places)
    assert not {"script", "link", "iframe", "object", "form"} & set(outline.tags)
    assert not [name for name in outline.attributes if name.startswith("on") or name == "style"]
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"https?://|unsafe-|url\(|@import", page)


def test_the_template_itself_is_nowhere_on_the_page(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    page = explain(jpeg(astronaut), region="eu", out=tmp_path / "why.html").read_text()
    template = observe(astronaut)[0].template
    for value in template[:8]:
        assert f"{value:.4f}" not in page
        assert repr(float(value)) not in page


def test_a_plate_is_explained_with_readings_characters_and_grammar(tmp_path: Path) -> None:
    scene = render_plate_scene("LN52KXB", Region.EU, seed=3)
    page = explain(jpeg(scene), region="eu", out=tmp_path / "why.html").read_text()
    outline = Outline(page)
    words = " ".join(" ".join(outline.text).split())
    assert "Read as LN52KXB" in words
    assert "this reading has the shape: a letter, a letter, a digit, a digit" in words
    assert "Least sure character" in words
    assert outline.tags.count("meter") >= 8


def test_an_unknown_region_is_refused(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cn, eu, us"):
        explain(jpeg(astronaut), region="atlantis", out=tmp_path / "why.html")


def test_a_picture_without_a_face_says_so(tmp_path: Path) -> None:
    blank = np.full((200, 300, 3), 128, np.uint8)
    page = explain(jpeg(blank), region="eu", out=tmp_path / "why.html").read_text()
    assert "No face was found" in page
    assert "No plate of the region eu was found" in page


def test_words_from_outside_stay_words() -> None:
    hostile = '<script>alert("x")</script>'
    subject = Subject(
        hostile,
        hostile,
        False,
        (Picture(hostile, "data:image/png;base64,", 10),),
        (Figure(hostile, hostile, hostile, False), Figure("free", "1", "none", None)),
        (Bars(hostile, (Bar(hostile, 0.25),)),),
        (hostile,),
    )
    page = render(
        Picture(hostile, "data:image/png;base64,", 10), [Stage(hostile, hostile, (subject,))], region=hostile
    )
    outline = Outline(page)
    assert "script" not in outline.tags
    assert "25.0 %" in page


@pytest.mark.parametrize(
    ("image", "family"),
    [(b"no image", Invalid), (Path("/nowhere/at.jpg"), NotFound)],
    ids=["text", "missing"],
)
def test_what_cannot_be_read_leaves_no_page(
    image: bytes | Path, family: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(family):
        explain(image, region="eu", out=tmp_path / "why.html")
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_put_in_place_leaves_nothing(
    astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    (tmp_path / "why.html").mkdir()
    with pytest.raises(Unavailable, match="another folder"):
        explain(jpeg(astronaut), region="eu", out=tmp_path / "why.html")
    assert [path.name for path in tmp_path.iterdir()] == ["why.html"]


def test_a_folder_that_is_not_there_is_said(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="choose a folder"):
        explain(jpeg(astronaut), region="eu", out=tmp_path / "no" / "why.html")
