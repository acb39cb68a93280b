"""Imports the whole program once, then forks a real process for each part that a test wants played.

Orders come as JSON lines on standard input: `part` with `words` and the file `said`, answered by a process
id; or `wait`, answered by the exit code, negative for a signal, null if it still runs after those seconds.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doorward.app.cli import main as command_line
from tests.faults import deeds, gallery_deeds, server

Part = Callable[[list[str]], None]

PARTS: dict[str, Part] = {
    "serve": server.main,
    "deed": deeds.main,
    "gallery": gallery_deeds.main,
    "command": command_line,
}
INTERNAL = 70


def play(part: str, words: list[str], said: Path) -> int:
    """Play one part with everything it says in two files; never returns into the zygote's loop."""
    os.setsid()
    for stream, suffix in ((1, "out"), (2, "err")):
        file = os.open(said.with_suffix(f".{suffix}"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        PARTS[part](words)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def wait(pid: int, seconds: float, ended: dict[int, int]) -> int | None:
    """How a child ended; None if it runs on."""
    until = time.monotonic() + seconds
    while pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended[pid] = os.waitstatus_to_exitcode(status)
        elif time.monotonic() > until:
            return None
        else:
            time.sleep(0.005)
    return ended[pid]


def fork(order: dict[str, Any]) -> int:
    """A process that plays a part."""
    pid = os.fork()
    if pid:
        return pid
    code = INTERNAL
    try:
        code = play(order["part"], order["words"], Path(order["said"]))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(code)


def loop() -> None:
    """Take orders until there are none, then leave nobody behind."""
    started: set[int] = set()
    ended: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = wait(order["wait"], order["seconds"], ended)
        else:
            answer = fork(order)
            started.add(answer)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in started - set(ended):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    loop()
