"""The system call filters, run here as the kernel would run them: no other wall hides a hole in them."""

import errno
import platform
import struct

import pytest

from doorward.vision.decoding import calls

pytestmark = pytest.mark.skipif(
    not calls.is_known_machine(), reason="this machine's calls have other numbers"
)
ALLOWED, KILLED = 0x7FFF0000, 0x80000000
DENIED = 0x00050000 | errno.EPERM
BARE, FILM = calls.bare(), calls.player(opens_files=False, network=False)
DEVICE, CAMERA = calls.player(opens_files=True, network=False), calls.player(opens_files=True, network=True)
EXECUTABLE, THREAD = 4, 0x3D0F00


def number_of(name: str) -> int:
    """A call's number on this machine, which the reader of the filter knows by name."""
    tables = (calls._NEEDED, calls._NEVER, calls._OPENING, calls._SOCKETS, calls._LISTENING)
    single = {
        "mmap": calls._MMAP,
        "mprotect": calls._MPROTECT,
        "prlimit": calls._PRLIMIT,
        "clone": calls._CLONE,
    }
    numbers = next((table[name] for table in tables if name in table), None) or single[name]
    number = numbers[calls._MACHINES[platform.machine()][1]]
    if number is None:
        pytest.skip("there is no such call here")
    return number


def answer(program: bytes, name: str, *arguments: int, machine: int | None = None, table: int = 0) -> int:
    """What the filter says to a call: classic BPF over `struct seccomp_data`."""
    own = calls._MACHINES[platform.machine()][0]
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number_of(name) | table, machine or own, 0, *padded)
    loaded, place = 0, 0
    while True:
        code, if_true, if_false, value = struct.unpack_from("=HBBI", program, 8 * place)
        place += 1
        if code == 0x20:
            (loaded,) = struct.unpack_from("=I", data, value)
        elif code == 0x54:
            loaded &= value
        elif code == 0x06:
            return int(value)
        else:
            assert code in (0x15, 0x35)
            holds = loaded == value if code == 0x15 else loaded >= value
            place += if_true if holds else if_false


@pytest.mark.parametrize("program", [BARE, FILM, DEVICE, CAMERA])
@pytest.mark.parametrize("name", (*calls._NEVER, *calls._LISTENING, "socketpair"))
def test_no_decoder_may_touch_others_or_change_anything(program: bytes, name: str) -> None:
    assert answer(program, name) == DENIED


@pytest.mark.parametrize("name", ["openat", "socket", "clone"])
def test_the_image_decoder_opens_nothing_and_starts_nothing(name: str) -> None:
    assert answer(BARE, name, THREAD if name == "clone" else 2) == DENIED


def test_the_image_decoder_makes_no_new_code() -> None:
    for name in ("mmap", "mprotect"):
        assert answer(BARE, name, 0, 4096, 3) == ALLOWED
        assert answer(BARE, name, 0, 4096, 3 | EXECUTABLE) == DENIED


@pytest.mark.parametrize("program", [BARE, FILM, DEVICE, CAMERA])
def test_a_decoder_may_read_its_own_limits_alone(program: bytes) -> None:
    assert answer(program, "prlimit", 0) == ALLOWED
    assert answer(program, "prlimit", 4321) == DENIED


def test_files_and_sockets_are_for_those_who_need_them() -> None:
    assert [answer(one, "openat") for one in (FILM, DEVICE, CAMERA)] == [DENIED, ALLOWED, ALLOWED]
    for family, told in ((2, ALLOWED), (10, ALLOWED), (16, ALLOWED), (1, DENIED), (17, DENIED)):
        assert answer(CAMERA, "socket", family) == told
        assert answer(DEVICE, "socket", family) == DENIED


@pytest.mark.parametrize("program", [FILM, DEVICE, CAMERA])
def test_a_video_decoder_starts_threads_and_no_process(program: bytes) -> None:
    assert answer(program, "clone", THREAD) == ALLOWED
    assert answer(program, "clone", 17) == DENIED


@pytest.mark.parametrize("program", [BARE, FILM, DEVICE, CAMERA])
def test_calls_by_the_numbers_of_another_machine_get_nowhere(program: bytes) -> None:
    assert answer(program, "read") == ALLOWED
    assert answer(program, "read", machine=0x40000003) == KILLED
    assert answer(program, "read", table=0x40000000) == DENIED
