"""What the Linux kernel offers to lock ourselves in: no new privileges, Landlock, system call filters.

There is no wrapper library to trust here: each is one or two calls, made through the C library.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_GET_SECCOMP = 22, 38, 21
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
# Landlock has the same numbers on every machine.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_ASK_FOR_VERSION = 1
_PATH_BENEATH = 1
READ_FILE, WRITE_FILE, IOCTL_DEVICE = 1 << 2, 1 << 1, 1 << 15
_TCP_BIND, _TCP_CONNECT = 1, 2
# How many of the rights over files each version of Landlock knows, newest first.
_RIGHTS_OF_VERSION = ((5, 16), (3, 15), (2, 14), (1, 13))
_NO_CAPABILITIES = (0, 0, 0, 0, 0, 0)
_CAPABILITY_VERSION = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}


@dataclass(frozen=True, slots=True)
class Opened:
    """One file that stays within reach, with the rights over it."""

    path: Path
    rights: int = READ_FILE


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("place", ctypes.c_int32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def landlock_version() -> int:
    """Which Landlock this kernel has; 0 for none."""
    if not _is_linux():
        return 0
    return max(0, _call(_LANDLOCK_CREATE, None, 0, _ASK_FOR_VERSION))


def has_filters() -> bool:
    """Whether this kernel takes system call filters."""
    return _is_linux() and int(_libc().prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def forbid_new_privileges() -> None:
    """From now on no program that is started gains anything by being set-user-id."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def leave_network() -> bool:
    """Move into a network of our own with nobody in it; whether the kernel let us."""
    unshare = _libc().unshare
    return bool(unshare(_CLONE_NEWNET) == 0 or unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0)


def drop_capabilities() -> None:
    """Give up whatever root, or a namespace of our own, could still do."""
    number = _CAPSET.get(platform.machine())
    if number is None:
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _must(_call(number, header, (ctypes.c_uint32 * 6)(*_NO_CAPABILITIES)))


def close_files(opened: Iterable[Opened], *, keeps_network: bool) -> None:
    """Put every file but `opened` out of reach for good, and TCP too unless it is kept; by Landlock."""
    version = landlock_version()
    rights = (1 << next(count for since, count in _RIGHTS_OF_VERSION if version >= since)) - 1
    network = _TCP_BIND if keeps_network else _TCP_BIND | _TCP_CONNECT
    asked = _Ruleset(rights, network if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _must(_call(_LANDLOCK_CREATE, ctypes.byref(asked), size, 0))
    try:
        for one in opened:
            _allow(ruleset, one, rights)
        _must(_call(_LANDLOCK_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)


def filter_calls(program: bytes) -> None:
    """Let only those system calls through that a program of 8-byte instructions answers with yes."""
    asked = _Program(len(program) // 8, program)
    _must(int(_libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(asked), 0, 0)))


def _allow(ruleset: int, one: Opened, known: int) -> None:
    place = os.open(one.path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(one.rights & known, place)
        _must(_call(_LANDLOCK_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0))
    finally:
        os.close(place)


def _is_linux() -> bool:
    return sys.platform == "linux"


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    libc = _libc()
    libc.syscall.restype = ctypes.c_long
    plain: Sequence[object] = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return int(libc.syscall(ctypes.c_long(number), *plain))


def _prctl(which: int, value: int) -> None:
    _must(int(_libc().prctl(which, value, 0, 0, 0)))


def _must(answer: int) -> int:
    """The answer; `OSError` for a refusal, since half a cage is none."""
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
