"""Which system calls a caged process may make, written as the kernel reads it (classic BPF).

The image worker has a list of what it needs: computing, its two pipes, its own memory. Video decoders differ
too much between machines for that, so the video worker has a list of what it may never do.
"""

import errno
import platform
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUALS, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_OTHER_TABLE = 0x40000000  # the x32 calls of x86_64, which are the same calls by other numbers
_EXECUTABLE = 0x4
_CLONE_THREAD = 0x10000
_DENIED, _UNKNOWN = _REFUSE | errno.EPERM, _REFUSE | errno.ENOSYS
_FAMILIES = (2, 10, 16)  # IPv4, IPv6, and netlink: which addresses we have is asked when a name is resolved

_MACHINES: Final = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

_Numbers = tuple[int | None, int | None]  # on x86_64 and on aarch64; None: not there

_NEEDED: Final[Mapping[str, _Numbers]] = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "poll": (7, None),
    "ppoll": (271, 73),
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "futex": (202, 98),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "setrlimit": (160, 164),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "gettimeofday": (96, 169),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getcpu": (309, 168),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "sysinfo": (99, 179),
    "sigaltstack": (131, 132),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "restart_syscall": (219, 128),
    "membarrier": (324, 283),
    "rseq": (334, 293),
    "set_robust_list": (273, 99),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_NEVER: Final[Mapping[str, _Numbers]] = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "kcmp": (312, 272),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "personality": (135, 92),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setgroups": (116, 159),
    "capset": (126, 91),
    "creat": (85, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "fchmodat2": (452, 452),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "inotify_add_watch": (254, 27),
}
_OPENING: Final[Mapping[str, _Numbers]] = {"open": (2, None), "openat": (257, 56), "openat2": (437, 437)}
_SOCKETS: Final[Mapping[str, _Numbers]] = {"socket": (41, 198), "socketpair": (53, 199)}
_LISTENING: Final[Mapping[str, _Numbers]] = {"listen": (50, 201), "accept": (43, 202), "accept4": (288, 242)}
_MMAP, _MPROTECT = (9, 222), (10, 226)
_PRLIMIT, _CLONE, _CLONE3 = (302, 261), (56, 220), (435, 435)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one call is answered; with `mask`, only if that argument has just `value` of the mask's bits."""

    numbers: _Numbers
    answer: int
    argument: int = 0
    mask: int = 0
    value: int = 0


def is_known_machine() -> bool:
    """Whether we know the numbers of this machine's calls."""
    return platform.machine() in _MACHINES


def bare() -> bytes:
    """Nothing but computing, own memory without new code, and what is open already."""
    rules = [_Rule(numbers, _ALLOW) for numbers in _NEEDED.values()]
    rules += [_Rule(one, _ALLOW, argument=2, mask=_EXECUTABLE) for one in (_MMAP, _MPROTECT)]
    rules += [_Rule(_PRLIMIT, _ALLOW, mask=0xFFFFFFFF)]
    return _program(rules, otherwise=_DENIED)


def player(*, opens_files: bool, network: bool) -> bytes:
    """Everything but other processes, other rights and changes; files and sockets only as named."""
    barred = [_NEVER, _LISTENING, *([] if opens_files else [_OPENING])]
    rules = [_Rule(numbers, _DENIED) for table in barred for numbers in table.values()]
    if network:
        rules += [_Rule(_SOCKETS["socket"], _ALLOW, mask=0xFFFFFFFF, value=one) for one in _FAMILIES]
    rules += [_Rule(numbers, _DENIED) for numbers in _SOCKETS.values()]
    rules += [_Rule(_CLONE, _ALLOW, mask=_CLONE_THREAD, value=_CLONE_THREAD), _Rule(_CLONE, _DENIED)]
    # Its flags lie in memory, where a filter cannot look; the C library then uses the older call.
    rules += [_Rule(_CLONE3, _UNKNOWN)]
    rules += [_Rule(_PRLIMIT, _ALLOW, mask=0xFFFFFFFF), _Rule(_PRLIMIT, _DENIED)]
    return _program(rules, otherwise=_ALLOW)


def _program(rules: Iterable[_Rule], *, otherwise: int) -> bytes:
    machine, column = _MACHINES[platform.machine()]
    steps = [_step(_LOAD, _MACHINE_AT), _step(_EQUALS, machine, 1, 0), _step(_RETURN, _KILL)]
    steps += [_step(_LOAD, _NUMBER_AT), _step(_AT_LEAST, _OTHER_TABLE, 0, 1), _step(_RETURN, _DENIED)]
    for rule in rules:
        number = rule.numbers[column]
        if number is not None:
            steps += _answered(rule, number)
    return b"".join([*steps, _step(_RETURN, otherwise)])


def _answered(rule: _Rule, number: int) -> list[bytes]:
    if not rule.mask:
        return [_step(_EQUALS, number, 0, 1), _step(_RETURN, rule.answer)]
    return [
        _step(_EQUALS, number, 0, 5),
        _step(_LOAD, _ARGUMENTS_AT + 8 * rule.argument),  # the lower half: both machines are little-endian
        _step(_AND, rule.mask),
        _step(_EQUALS, rule.value, 0, 1),
        _step(_RETURN, rule.answer),
        _step(_LOAD, _NUMBER_AT),
    ]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
