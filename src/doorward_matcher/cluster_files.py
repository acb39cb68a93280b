"""What the machines of one cluster share, and only they: without it nobody is let in, nor anything said.

Ray runs whatever a member asks it to. So each of its connections is TLS, both sides with the one certificate
of the cluster, and each request carries the cluster's token. All machines hold the same files; whoever holds
them is a member. Ray also reports to its maker that reporting is off; hence the address where nobody is.

    python -m doorward_matcher.cluster_files FOLDER ADDRESS [ADDRESS ...]
"""

import os
import secrets
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from doorward.core.clock import system_clock
from doorward.core.errors import DoorwardError, Invalid
from doorward.core.private import require_private
from doorward.core.tls import ensure_certificate

TOKEN: Final = "token"  # noqa: S105  (the name of a file)
CERTIFICATE: Final = "tls-certificate.pem"
KEY: Final = "tls-key.pem"
ENVIRONMENT: Final = "environment"
NOBODY: Final = "http://127.0.0.1:9/"

QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": NOBODY,
    "RAY_enable_metrics_collection": "0",
    "GRPC_VERBOSITY": "NONE",  # else each stranger who knocks fills the log
}
PROMPT: Final = {  # a machine that is silent for three seconds is out, and its workers are made elsewhere
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


def make_cluster_files(folder: Path, addresses: Sequence[str], now: datetime) -> None:
    """Token, certificate and key for these machines, and an environment that names them all.

    What is there and still good stays. The certificate is made anew a month before its end (397 days).
    """
    if not addresses:
        raise Invalid("Name the address of each machine of the cluster.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_private(folder)
    if not (folder / TOKEN).exists():
        _write_private(folder / TOKEN, secrets.token_hex(32))
    ensure_certificate(folder, ["localhost", "127.0.0.1", *addresses], now)
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in (environment_of(folder) | PROMPT).items()]
    _write_private(folder / ENVIRONMENT, "".join(lines))


def environment_of(folder: Path) -> dict[str, str]:
    """What Ray must find in its environment, on each machine; `Invalid` unless the files are ours alone."""
    paths = [folder / name for name in (TOKEN, CERTIFICATE, KEY)]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise Invalid(
            f"{folder} lacks {', '.join(missing)}: make them with `python -m doorward_matcher.cluster_files` "
            "on one machine, and give all the same."
        )
    for secret in (folder, folder / TOKEN, folder / KEY):
        require_private(secret)
    token, certificate, key = (str(path.resolve()) for path in paths)
    return QUIET | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": token,
        "RAY_USE_TLS": "1",
        "RAY_TLS_SERVER_CERT": certificate,
        "RAY_TLS_SERVER_KEY": key,
        "RAY_TLS_CA_CERT": certificate,
    }


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


def main(words: Sequence[str]) -> int:
    """Make the files of a cluster."""
    if len(words) < 2:
        sys.stderr.write("Say: python -m doorward_matcher.cluster_files FOLDER ADDRESS [ADDRESS ...]\n")
        return 2
    try:
        make_cluster_files(Path(words[0]), words[1:], system_clock())
    except DoorwardError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
