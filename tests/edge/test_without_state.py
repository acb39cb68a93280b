"""Gates whose state file cannot be used: whoever leaves may, and ways in stay shut."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doorward.core.clock import system_clock
from doorward.core.errors import Tampered, Unavailable
from doorward.core.wire import Direction, Door
from doorward_edge.config import load_config
from doorward_edge.drivers.simulated import SilentPrompt, SimulatedInputs
from doorward_edge.listening import Listener
from doorward_edge.passage import Seen
from doorward_edge.ports import Input, InputChange
from doorward_edge.state import AgentState, Foreign
from doorward_edge.wiring import build_agent, open_state
from tests.edge.http_server import serving
from tests.edge.test_cli import PLAIN, ROOT, folder, write
from tests.edge.test_state import without_disk
from tests.edge.world import AGENT_KEY, CARD, STRANGER_KEY, FakeServer

__all__ = ["folder"]
NOBODY = "nobody knows this card"
SPOILT = ["damaged", "folder missing", "a folder", "another key's"]
OUTWARD = 'direction = "out"\n'
BUTTON = """
[[inputs]]
kind = "files"
device = "contacts"
[[inputs.contacts]]
name = "button"
means = "exit"
"""


def spoilt(folder: Path, how: str) -> str:
    """A state file that cannot be used, and the settings that name it."""
    path = folder / "agent.state"
    if how == "damaged":
        path.write_bytes(b"garbage" * 1000)
    elif how == "a folder":
        path.mkdir()
    elif how == "another key's":
        AgentState(path, STRANGER_KEY).close()
    return PLAIN.replace("agent.state", "none/agent.state") if how == "folder missing" else PLAIN


@pytest.mark.parametrize("how", SPOILT)
def test_a_way_out_starts_without_its_state_and_an_entry_does_not(folder: Path, how: str) -> None:
    text = spoilt(folder, how)
    entry = load_config(write(folder / "in.toml", text))
    with pytest.raises((Unavailable, Tampered, Foreign)):
        open_state(entry, AGENT_KEY)
    agent = build_agent(load_config(write(folder / "out.toml", OUTWARD + text)), prompt=SilentPrompt())
    agent.upkeep.recover()
    assert agent.doorman.pass_one(Seen(card=NOBODY)).moved
    agent.post.state.close()


@pytest.mark.parametrize(
    ("more", "lets_out"),
    [
        ("exit_opens = true\n", True),
        ("exit_opens = false\n", False),
        ("fire", True),
        (OUTWARD, True),
    ],
)
def test_an_agent_may_be_all_that_lets_somebody_out(folder: Path, more: str, lets_out: bool) -> None:
    text = PLAIN + BUTTON if more != "fire" else PLAIN + BUTTON.replace('"exit"', '"fire"')
    config = load_config(write(folder / "gate.toml", ("" if more == "fire" else more) + text))
    assert config.lets_out is lets_out


def test_what_a_contact_said_before_the_agent_could_number_anything_is_told_later(tmp_path: Path) -> None:
    world = without_disk(tmp_path, Direction.OUT)
    inputs = SimulatedInputs()
    inputs.change(InputChange(Input.FIRE, True))
    listener = Listener(world.post, world.upkeep, world.held, inputs=[inputs])
    listener.listen(lambda seen: None)
    assert world.barrier.state() == "open"
    world.mend()
    listener.listen(lambda seen: None)
    world.upkeep.look_after()
    assert [one.state for one in world.server.doors] == [Door.FIRE]
    world.post.state.close()


class Running:
    """An agent in a process of its own, at a gate with a relay, contacts and a card reader."""

    def __init__(self, folder: Path, text: str, *, direction: Direction) -> None:
        self.relay, self.contacts = folder / "relay", folder / "contacts"
        self.contacts.mkdir()
        for path in (self.relay, self.contacts / "button", self.contacts / "panel"):
            path.write_text("0")
        os.mkfifo(folder / "reader")
        self._reader = os.open(folder / "reader", os.O_RDWR)
        self._server = FakeServer(now=system_clock, direction=direction)
        relay = f'kind = "relay"\ndevice = "{self.relay}"\non = "31"\noff = "30"'
        self._text = text.replace('kind = "simulated"', relay).replace('"contacts"', f'"{self.contacts}"')
        self._text += f'\n[[readers]]\ndevice = "{folder}/reader"\nkind = "card"\n'
        self._folder = folder

    def __enter__(self) -> "Running":
        self._serving = serving(self._server, (self._folder / "ours.pem", self._folder / "ours.key"))
        url = self._serving.__enter__()
        write(self._folder / "gate.toml", self._text.replace("https://127.0.0.1:1", url))
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from doorward_edge.cli import main; main()", "run", "gate.toml"],
            cwd=self._folder,
            env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._serving.__exit__(None, None, None)
        os.close(self._reader)

    def show(self, card: str) -> dict[str, object]:
        """Hold a card before the reader; the decision."""
        os.write(self._reader, f"{card}\n".encode())
        assert self.process.stdout
        told: dict[str, object] = json.loads(self.process.stdout.readline())
        return told

    def press(self, contact: str, value: str) -> None:
        """Change a contact."""
        (self.contacts / contact).write_text(value)

    def is_on(self, *, within: float = 10.0) -> bool:
        """Whether the relay is switched on in that time."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            if self.relay.read_text() == "1":
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> tuple[int, str]:
        """Stop it; its exit code and what it said to its operator."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


def test_a_way_out_whose_state_file_is_another_keys_opens_and_leaves_it_as_it_is(folder: Path) -> None:
    text = OUTWARD + spoilt(folder, "another key's")
    before = (folder / "agent.state").read_bytes()
    with Running(folder, text, direction=Direction.OUT) as agent:
        assert agent.show(NOBODY)["moved"]
        assert agent.is_on()
        code, said = agent.stop()
    assert (code, said.count("\n")) == (0, 1)
    assert "another agent's key" in said
    assert "ways in stay shut" in said
    assert (folder / "agent.state").read_bytes() == before
    AgentState(folder / "agent.state", STRANGER_KEY).close()


def test_a_door_with_an_exit_button_and_a_fire_contact_lets_out_and_nobody_in_until_it_is_mended(
    folder: Path,
) -> None:
    contact = '[[inputs.contacts]]\nname = "panel"\nmeans = "fire"\n'
    text = "exit_opens = true\nopen_seconds = 1\n" + spoilt(folder, "another key's") + BUTTON + contact
    with Running(folder, text, direction=Direction.IN) as agent:
        decision = agent.show(CARD)
        assert (decision["opens"], decision["because"]) == (False, "agent-without-state-file")
        assert not agent.is_on(within=0.2)
        agent.press("button", "1")
        assert agent.is_on()
        agent.press("panel", "1")
        time.sleep(1.5)
        assert agent.is_on()
        assert agent.stop()[0] == 0
