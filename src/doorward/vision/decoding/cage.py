"""The cage for native parsers: a child process without secrets, without files to write and with an end."""

import contextlib
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 1 << 20
_SOURCE_ROOT = str(Path(__file__).resolve().parents[3])
# Threads of a linear algebra library would each reserve address space that the limit counts.
_ENVIRONMENT = {
    "PYTHONPATH": _SOURCE_ROOT,
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENCV_LOG_LEVEL": "SILENT",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caged process may use; `cpu_seconds` None means that it may run on without an end."""

    address_space_bytes: int
    cpu_seconds: int | None
    open_files: int
    may_start_threads: bool


def start(module: str) -> subprocess.Popen[bytes]:
    """Start `module` in a child that inherits two pipes and nothing else: no files, no environment."""
    return subprocess.Popen(  # noqa: S603 (our own module under our own interpreter)
        [sys.executable, "-P", "-s", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
        cwd="/",
        close_fds=True,
        start_new_session=True,
        bufsize=0,
    )


def enter(limits: Limits) -> None:
    """Give up, for good, what the limits do not grant; called inside the child before it reads a byte."""
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, 0)
    _set(resource.RLIMIT_NOFILE, limits.open_files)
    _set(resource.RLIMIT_AS, limits.address_space_bytes)
    if limits.cpu_seconds is not None:
        _set(resource.RLIMIT_CPU, limits.cpu_seconds)
    if not limits.may_start_threads:
        _set(resource.RLIMIT_NPROC, 0)


def kill(child: subprocess.Popen[bytes]) -> None:
    """End a child at once, whatever it is doing, and collect it."""
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    child.wait()


def own_pipes() -> tuple[int, int]:
    """The child's ends: where requests come from and where answers go.

    Standard output is moved away first, so that a library that prints can't write into an answer.
    """
    answers = os.dup(1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.close(quiet)
    return 0, answers


def _set(which: int, amount: int) -> None:
    _, hard = resource.getrlimit(which)
    value = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    resource.setrlimit(which, (value, value))
