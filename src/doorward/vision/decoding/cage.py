"""The cage for native parsers: a child process without secrets, files, network or rights, and with an end."""

import contextlib
import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from doorward.vision.decoding import calls, kernel

MEBIBYTE = 1 << 20
NOBODY = 65534
NO_LANDLOCK = "Landlock is missing (Linux 5.13 or newer has it)"
NO_FILTERS = "system call filters are missing (a kernel with seccomp, on x86_64 or aarch64)"
NO_OTHER_USER = "root cannot become nobody here"
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


@dataclass(frozen=True, slots=True)
class Openings:
    """What stays within reach of a caged process beside its pipes."""

    files: tuple[kernel.Opened, ...] = ()
    network: bool = False
    group: int | None = None  # of a device that only a group may use


SHUT = Openings()


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


def missing_walls() -> tuple[str, ...]:
    """Which walls this machine cannot build, in words; for a warning at the start."""
    missing = [
        (NO_LANDLOCK, kernel.landlock_version() == 0),
        (NO_FILTERS, not _has_filters()),
        (NO_OTHER_USER, os.geteuid() == 0 and not _may_be_nobody()),
    ]
    return tuple(words for words, is_missing in missing if is_missing)


def enter(limits: Limits, openings: Openings = SHUT) -> None:
    """Give up, for good, what limits and openings do not grant; called in the child before it reads a byte.

    A wall that the machine has and that cannot be built raises `OSError`: the child ends. Walls that it does
    not have are named by `missing_walls`.
    """
    _refuse_threads()
    _limit(limits)
    if not openings.network:
        kernel.leave_network()  # the filter below denies sockets in any case
    _become_nobody(openings.group)
    kernel.forbid_new_privileges()
    kernel.drop_capabilities()
    if kernel.landlock_version():
        kernel.close_files(_present(openings.files), keeps_network=openings.network)
    if not limits.may_start_threads:
        _set(resource.RLIMIT_NPROC, 0)
    if _has_filters():
        kernel.filter_calls(_filter(limits, openings))


def _refuse_threads() -> None:
    """`OSError` if there is a second thread: it would stay outside the walls."""
    tasks = Path("/proc/self/task")
    if tasks.is_dir() and len(list(tasks.iterdir())) > 1:
        raise OSError(errno.EBUSY, "a cage is entered by one thread alone")


def _limit(limits: Limits) -> None:
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, 0)
    _set(resource.RLIMIT_NOFILE, limits.open_files)
    _set(resource.RLIMIT_AS, limits.address_space_bytes)
    if limits.cpu_seconds is not None:
        _set(resource.RLIMIT_CPU, limits.cpu_seconds)


def _become_nobody(group: int | None) -> None:
    if os.geteuid() != 0 or not _may_be_nobody():
        return
    os.setgroups([] if group is None else [group])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def _may_be_nobody() -> bool:
    """Whether the account exists in here: a container of an unprivileged user may know root alone."""
    try:
        ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except OSError:
        return False
    return any(int(first) <= NOBODY < int(first) + int(count) for first, _, count in ranges)


def _present(files: Iterable[kernel.Opened]) -> list[kernel.Opened]:
    return [one for one in files if one.path.exists()]


def _has_filters() -> bool:
    return calls.is_known_machine() and kernel.has_filters()


def _filter(limits: Limits, openings: Openings) -> bytes:
    if not limits.may_start_threads:
        return calls.bare()
    return calls.player(opens_files=bool(openings.files), network=openings.network)


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
