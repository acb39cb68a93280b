"""Hostile words on the command line: a sentence and an exit code, never a traceback and never our mistake."""

import pytest

from doorward.core.programs import EXIT_CODES
from tests.faults.pictures import portrait
from tests.faults.site import Site

LONG = "x" * 5000
BROKEN = "\ud800\ud801"
INVALID, MISSING, CONFLICT = (EXIT_CODES[code] for code in ("invalid", "not-found", "conflict"))
UNAVAILABLE = EXIT_CODES["unavailable"]
# {} is a folder with a letter named as a photo, a cut photo, an empty video and an empty folder.
WORDS = [
    (("enrol", LONG, "{}/cut.jpg"), INVALID),
    (("enrol", BROKEN, "{}/cut.jpg"), INVALID),
    (("enrol", "Somebody", "{}/nowhere.jpg"), INVALID),
    (("enrol", "Somebody", "{}/cut.jpg", "{}/letter.jpg", "{}/empty.mp4"), INVALID),
    (("enrol", "Somebody", "{}/folder"), INVALID),
    (("vehicle", "add", LONG), INVALID),
    (("vehicle", "add", "\x00\u202e"), INVALID),
    (("gate", "add", BROKEN), INVALID),
    (("gate", "add", LONG), INVALID),
    (("gate", "add", "side", "--frames", "-1"), INVALID),
    (("grant", BROKEN, LONG), INVALID),
    (("watch", "Card", "{}/empty.mp4"), INVALID),
    (("watch", "Card", "{}/letter.jpg"), INVALID),
    (("watch", "Card", "rtsp://"), INVALID),
    (("watch", BROKEN, "{}/letter.jpg"), MISSING),
    (("watch", "Card", "{}/letter.jpg", "--card", LONG), INVALID),
    (("events", "--limit", "9" * 30), INVALID),
    (("explain", "{}/cut.jpg"), INVALID),
    (("audit", "export", "/proc/nowhere"), UNAVAILABLE),
    (("audit", "export", "{}"), CONFLICT),
]


@pytest.fixture
def things(site: Site) -> str:
    """Files that are not what they are named."""
    folder = site.folder.parent / "things"
    (folder / "folder").mkdir(parents=True)
    (folder / "cut.jpg").write_bytes(portrait()[:2000])
    (folder / "letter.jpg").write_text("Dear Sir or Madam,\n" * 10)
    (folder / "empty.mp4").write_bytes(b"")
    return str(folder)


def test_hostile_words_are_answered_with_a_sentence_and_leave_the_site_as_it_was(
    site: Site, things: str
) -> None:
    for words, expected in WORDS:
        code, said, complaint = site.run(*(word.replace("{}", things) for word in words))
        told = (said + complaint).strip()
        assert (code, "Traceback" in told, "Our mistake" in told) == (expected, False, False), (words, told)
        assert told.endswith((".", "╯")), (words, told)
    assert site.run("audit", "verify")[0] == 0
    with site.serving() as server:
        assert site.permit(server.ask(site.sighting())).opens
