import subprocess
import sys

import pytest

from doorward.app.address import origin
from doorward.app.console import Voice
from doorward.platform.settings import Web


def test_a_fingerprint_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    told = "Its certificate: E2:13:AB:6F and :key:"
    voice = Voice(as_json=False)
    voice.answer({}, told, markup=True)
    voice.aside(told)
    out, aside = capsys.readouterr()
    assert out.strip() == aside.strip() == told


def test_no_command_but_the_server_waits_for_the_web_to_be_loaded() -> None:
    code = (
        "import sys, doorward.app.cli; print(sorted({'fastapi', 'uvicorn', 'webauthn'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_browsers_find_the_server_by_its_settings_or_by_where_it_listens() -> None:
    assert origin(Web()) == "https://localhost:8443"
    assert origin(Web(host="10.0.0.1", port=443)) == "https://10.0.0.1:443"
    assert origin(Web(host="2001:db8::1")) == "https://[2001:db8::1]:8443"
    assert origin(Web(host="::1", tls=False)) == "http://localhost:8443"
    assert origin(Web(public_url="https://doors.example")) == "https://doors.example"
