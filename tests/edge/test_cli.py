import json
import os
import pty
import signal
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from doorward.core.clock import system_clock
from doorward.core.encoding import to_text
from doorward.core.errors import Conflict, Invalid
from doorward_edge.cli import main
from doorward_edge.config import load_config
from doorward_edge.keys import load_api_key, load_key, make_key, public_text, server_key
from doorward_edge.state import AgentState
from tests.edge.http_server import make_certificate, serving
from tests.edge.world import AGENT_KEY, CARD, SERVER_KEY, STRANGER_KEY, FakeServer

ROOT = Path(__file__).parents[2]
SERVER_PUBLIC = to_text(SERVER_KEY.public_key().public_bytes_raw())
PLAIN = f"""
agent_id = "agent_a"
gate_id = "gate_a"
key_file = "agent.key"
state_file = "agent.state"
expects = ["card"]

[server]
url = "https://127.0.0.1:1"
site_id = "site_a"
public_key = "{SERVER_PUBLIC}"
certificate = "ours.pem"

[barrier]
kind = "simulated"
"""


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pem = AGENT_KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write(tmp_path / "agent.key", pem)
    make_certificate(tmp_path, "ours")
    write(tmp_path / "gate.toml", PLAIN)
    return tmp_path


def leave(*words: str) -> object:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return left.value.code


def test_a_new_key_is_for_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "agent.key"
    public = make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert public == public_text(load_key(path))
    with pytest.raises(Conflict):
        make_key(path)


def test_keygen_shows_the_public_half_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("keygen", str(tmp_path / "k")) == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == ["public_key"]
    server_key(shown["public_key"])
    assert leave("keygen", str(tmp_path / "k")) == 6


def test_check_tries_the_server_and_each_device_and_moves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "board").write_bytes(b"")
    (folder / "door").write_text("0")
    with serving(FakeServer(now=system_clock), (folder / "ours.pem", folder / "ours.key")) as url:
        text = PLAIN.replace("https://127.0.0.1:1", url)
        text = text.replace('kind = "simulated"', f'kind = "relay"\ndevice = "{folder}/board"')
        text += f'\n[[inputs]]\nkind = "files"\ndevice = "{folder}"\n'
        text += '[[inputs.contacts]]\nname = "door"\nmeans = "door"\n'
        assert leave("check", str(write(folder / "gate.toml", text))) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["agent"], shown["public_key"]) == ("agent_a", public_text(AGENT_KEY))
    assert set(shown["checks"].values()) == {"works"}
    assert list(shown["checks"]) == [
        "state file",
        "server",
        "agent at the server",
        "policy of the gate",
        "barrier",
        "inputs 1",
    ]
    assert (folder / "board").read_bytes() == b""


def test_check_says_which_part_does_not_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    AgentState(folder / "agent.state", STRANGER_KEY).close()
    text = PLAIN.replace('kind = "simulated"', 'kind = "relay"\ndevice = "/dev/no-such-board"')
    text += '\n[[readers]]\ndevice = "/dev/no-such-reader"\n[camera]\nsource = "/no/such/video.mp4"\n'
    assert leave("check", str(write(folder / "gate.toml", text))) == 7
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert "another agent's key" in checks["state file"]
    for broken in ("server", "agent at the server", "policy of the gate", "barrier", "reader 1", "camera"):
        assert checks[broken] != "works", broken


def test_a_key_of_the_server_may_be_written_in_base64_or_hex_and_there_may_be_several(folder: Path) -> None:
    raw = SERVER_KEY.public_key().public_bytes_raw()
    assert server_key(raw.hex()).public_bytes_raw() == server_key(SERVER_PUBLIC + "=").public_bytes_raw()
    listed = PLAIN.replace(f'"{SERVER_PUBLIC}"', f'["{SERVER_PUBLIC}", "{bytes(range(32)).hex()}"]')
    config = load_config(write(folder / "gate.toml", listed))
    assert config.server_keys == (SERVER_PUBLIC, bytes(range(32)).hex())


def test_what_a_gate_expects_is_one_list_or_several(folder: Path) -> None:
    text = PLAIN.replace('["card"]', '[["card", "pin"], ["face"]]')
    config = load_config(write(folder / "gate.toml", text))
    assert config.orders().expects == (frozenset({"card", "pin"}), frozenset({"face"}))


def test_the_sample_in_the_documentation_can_be_read_but_for_what_only_a_site_knows(folder: Path) -> None:
    page = (ROOT / "docs" / "operate" / "edge-agent.md").read_text()
    sample = page.split("```toml\n")[1].split("```")[0]
    config = load_config(write(folder / "gate.toml", sample))
    assert config.camera
    assert config.camera.challenge
    assert config.challenge_seconds >= 24


SPOILT = [
    ('gate_id = "gate_a"', 'gate_id = "gate_a"\nsurprise = 1', "surprise"),
    ('kind = "simulated"', 'kind = "relay"', "device"),
    ('kind = "simulated"', 'kind = "magic"', "barrier.kind"),
    ('expects = ["card"]', "expects = []", "expects"),
    ('expects = ["card"]', 'expects = ["aura"]', "expects"),
    ("https://", "http://door.example", "https"),
    ('certificate = "ours.pem"', "", "certificate"),
    ('certificate = "ours.pem"', 'certificate = "none.pem"', "certificate"),
    (SERVER_PUBLIC, "c2hvcnQ", "public_key"),
    ("agent_id", "= agent", "TOML"),
    ("agent.key", "none.key", "key file"),
]


@pytest.mark.parametrize(("good", "bad", "named"), SPOILT)
def test_what_is_unknown_or_exposed_stops_the_start_with_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], good: str, bad: str, named: str
) -> None:
    path = write(folder / "gate.toml", PLAIN.replace(good, bad, 1))
    assert leave("check", str(path)) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("name", ["agent.key", "gate.toml"])
def test_a_file_that_others_may_read_stops_the_start(folder: Path, name: str) -> None:
    (folder / name).chmod(0o644)
    assert leave("check", str(folder / "gate.toml")) == 2


def test_an_api_key_is_read_from_its_own_file(tmp_path: Path) -> None:
    assert load_api_key(write(tmp_path / "a", "dw_key\n")) == "dw_key"
    for spoilt in (write(tmp_path / "b", "dw_key", 0o644), write(tmp_path / "c", "two words")):
        with pytest.raises(Invalid):
            load_api_key(spoilt)


def test_a_password_in_a_cameras_address_is_not_repeated_by_an_error(folder: Path) -> None:
    spoilt = PLAIN + '\n[camera]\nsource = "rtsp://u:hunter2@camera/1"\nframes_per_second = 0\n'
    with pytest.raises(Invalid) as told:
        load_config(write(folder / "gate.toml", spoilt))
    assert "hunter2" not in str(told.value)


@pytest.fixture
def reader() -> Iterator[tuple[int, str]]:
    ours, agents = pty.openpty()
    tty.setraw(agents)
    yield ours, os.ttyname(agents)
    os.close(ours)
    os.close(agents)


def test_an_agent_runs_from_its_file_until_it_is_told_to_stop(folder: Path, reader: tuple[int, str]) -> None:
    server = FakeServer(now=system_clock)
    with serving(server, (folder / "ours.pem", folder / "ours.key")) as url:
        text = PLAIN.replace("https://127.0.0.1:1", url)
        write(folder / "gate.toml", text + f'\n[[readers]]\ndevice = "{reader[1]}"\nkind = "card"\n')
        command = [sys.executable, "-c", "from doorward_edge.cli import main; main()", "run", "gate.toml"]
        agent = subprocess.Popen(
            command,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert agent.stdout
        os.write(reader[0], f"{CARD}\n".encode())
        decision = json.loads(agent.stdout.readline())
        agent.send_signal(signal.SIGTERM)
        out, err = agent.communicate(timeout=30)
    assert (agent.returncode, err) == (0, "")
    assert (decision["saw"], decision["opens"], decision["moved"]) == (["card"], True, True)
    assert json.loads(out)["statistics"]["opened"] == 1
    assert CARD not in out + json.dumps(decision)
