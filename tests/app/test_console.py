import pytest

from doorward.app.console import Voice


def test_a_fingerprint_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    told = "Its certificate: E2:13:AB:6F and :key:"
    voice = Voice(as_json=False)
    voice.answer({}, told, markup=True)
    voice.aside(told)
    out, aside = capsys.readouterr()
    assert out.strip() == aside.strip() == told
