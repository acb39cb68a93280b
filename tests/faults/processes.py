"""Handles on real processes: whoever forks them, and a server that runs."""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from doorward.core.wire import Signed

ROOT = Path(__file__).parents[2]
SITE_ID = "site_home"
PATIENCE = 30.0


class Zygote:
    """The other side of `zygote.py`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, part: str, words: list[str], said: Path) -> int:
        """A process that plays a part."""
        return int(self._ask(part=part, words=words, said=str(said)))

    def wait(self, pid: int, seconds: float = PATIENCE) -> int | None:
        """How it ended: its exit code, a negative signal, or None if it runs on."""
        code: int | None = self._ask(wait=pid, seconds=seconds)
        return code

    def close(self) -> None:
        """Everybody ends."""
        self._process.communicate(timeout=PATIENCE)

    def _ask(self, **order: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass
class Running:
    """One server process and a client before it."""

    pid: int
    client: httpx.Client
    said: Path
    zygote: Zygote

    def post(self, path: str, body: Any, **more: Any) -> httpx.Response:
        """A request about the site."""
        return self.client.post(f"/api/v1/sites/{SITE_ID}{path}", json=body, **more)

    def ask(self, signed: Signed) -> httpx.Response:
        """A sighting."""
        return self.post("/edge/sightings", signed.to_json())

    def died(self) -> bool:
        """Whether power failed; waits for it."""
        return self.zygote.wait(self.pid) == -signal.SIGKILL

    def log(self) -> list[dict[str, Any]]:
        """What it said, line by line."""
        return [json.loads(line) for line in self.said.with_suffix(".err").read_text().splitlines()]

    def peak_bytes(self) -> int:
        """The most memory it ever held."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
