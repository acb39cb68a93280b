"""The real server as a process of its own, on a port of its own choosing, with a clock that can be set."""

import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from doorward.app.house import open_house
from doorward.app.wiring import build_api, build_worker
from doorward.core.clock import Clock
from doorward.platform.logs import configure_logs
from tests.faults.plug import Plug

CLOCK_FILE = "clock"


def clock_of(folder: Path) -> Clock:
    """The machine's clock, off by the seconds that a file in the folder names."""
    path = folder / CLOCK_FILE

    def now() -> datetime:
        off = float(path.read_text() or 0) if path.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=off)

    return now


def main(words: list[str]) -> None:
    """Serve the site in a folder until stopped; `step` and `path` say when power fails."""
    folder, step, path = Path(words[0]), words[1], words[2]
    configure_logs("WARNING")
    house = open_house(folder, clock_of(folder))
    plug = Plug(step, path)
    plug.watch(house.database.engine)
    worker = build_worker(house)
    worker.start()
    with socket.create_server(("127.0.0.1", 0)) as door:
        sys.stdout.write(f"{door.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            plug.around(build_api(house)),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[door])
    worker.stop()
    house.close()
