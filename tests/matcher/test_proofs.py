"""Who asks, what, when, once; who answers, to what: each changed bit and each repeat is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.core.clock import system_clock
from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Conflict, Tampered, Unauthenticated, Unavailable
from doorward.matching import messages
from doorward.matching.messages import Kind
from doorward.matching.messages_signed import (
    NO_EPOCH,
    Asked,
    Nonces,
    digest_of_parts,
    read_answer,
    read_request,
    sign_answer,
    sign_request,
)
from tests.matcher.world import Decider, Raw, code_of

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
DECIDER, MATCHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC = MATCHER.public_key().public_bytes_raw()
KNOWN = frozenset([DECIDER.public_key().public_bytes_raw()])


def asked(nonces: Nonces, now: datetime = NOON, *, body: bytes = b"body") -> Asked:
    request = sign_request(DECIDER, PUBLIC, nonces.epoch, "/v1/search", body, now=now)
    return read_request(request.header, PUBLIC, "/v1/search", KNOWN)


def test_a_request_counts_once() -> None:
    nonces = Nonces()
    request = asked(nonces)
    nonces.accept(request, NOON)
    with pytest.raises(Unauthenticated, match="made already"):
        nonces.accept(request, NOON + timedelta(seconds=29))
    nonces.accept(asked(nonces), NOON)


@pytest.mark.parametrize("seconds", [-31, 31, 3600, -86400])
def test_a_request_of_another_time_is_refused(seconds: float) -> None:
    nonces = Nonces()
    with pytest.raises(Unauthenticated, match="another time"):
        nonces.accept(asked(nonces), NOON + timedelta(seconds=seconds))


def test_what_was_heard_before_a_restart_counts_no_more() -> None:
    with pytest.raises(Conflict):
        Nonces().accept(asked(Nonces()), NOON)


def test_a_repeat_is_known_for_as_long_as_its_time_is_believed() -> None:
    nonces = Nonces()
    early = asked(nonces, NOON + timedelta(seconds=30))  # of a clock that is ahead
    nonces.accept(early, NOON)
    for later in range(0, 61, 10):
        nonces.accept(asked(nonces, NOON + timedelta(seconds=later)), NOON + timedelta(seconds=later))
        with pytest.raises(Unauthenticated):
            nonces.accept(early, NOON + timedelta(seconds=later))


def test_memory_of_requests_is_bounded_and_forgets_nothing_early() -> None:
    nonces = Nonces(most=3)
    first = asked(nonces)
    for request in (first, asked(nonces), asked(nonces)):
        nonces.accept(request, NOON)
    with pytest.raises(Unavailable):
        nonces.accept(asked(nonces), NOON)
    with pytest.raises(Unauthenticated, match="made already"):
        nonces.accept(first, NOON)
    later = NOON + timedelta(seconds=61)
    nonces.accept(asked(nonces, later), later)


@given(st.integers(0, 175), st.integers(1, 255))
@settings(deadline=None)
def test_no_byte_of_a_request_may_change(place: int, by: int) -> None:
    header = sign_request(DECIDER, PUBLIC, NO_EPOCH, "/v1/put", b"body", now=NOON).header
    raw = bytearray(from_text(header))
    raw[place] ^= by
    with pytest.raises(Unauthenticated):
        read_request(to_text(bytes(raw)), PUBLIC, "/v1/put", KNOWN)


@pytest.mark.parametrize("header", ["", "x", "!" * 235, "A" * 10_000, "A" * 235, "ä" * 235])
def test_no_signature_is_no_request(header: str) -> None:
    with pytest.raises(Unauthenticated):
        read_request(header, PUBLIC, "/v1/put", KNOWN)


def test_a_request_is_for_one_matcher_and_one_path() -> None:
    header = sign_request(DECIDER, PUBLIC, NO_EPOCH, "/v1/put", b"body", now=NOON).header
    read_request(header, PUBLIC, "/v1/put", KNOWN)
    for matcher, path, known in [
        (bytes(32), "/v1/put", KNOWN),
        (PUBLIC, "/v1/keep", KNOWN),
        (PUBLIC, "/v1/put", frozenset([bytes(32)])),
    ]:
        with pytest.raises(Unauthenticated):
            read_request(header, matcher, path, known)


def test_an_answer_is_to_one_request_alone() -> None:
    nonces = Nonces()
    request, another = (
        sign_request(DECIDER, PUBLIC, nonces.epoch, "/v1/search", b"body", now=NOON) for _ in range(2)
    )
    read = read_request(request.header, PUBLIC, "/v1/search", KNOWN)
    proof = sign_answer(MATCHER, read, nonces.epoch, 200, digest_of_parts([b"ans", b"wer"]))
    key = MATCHER.public_key()
    assert read_answer(proof, key, request, 200, b"answer") == nonces.epoch
    wrong: list[Callable[[], object]] = [
        lambda: read_answer(proof, key, another, 200, b"answer"),
        lambda: read_answer(proof, key, request, 404, b"answer"),
        lambda: read_answer(proof, key, request, 200, b"answe"),
        lambda: read_answer(proof, DECIDER.public_key(), request, 200, b"answer"),
        lambda: read_answer("", key, request, 200, b"answer"),
        lambda: read_answer(proof[:-2] + "AA", key, request, 200, b"answer"),
    ]
    for changed in wrong:
        with pytest.raises(Tampered):
            changed()


# The same against the program.

LIST = messages.encode_list(Kind.AMONG, [])


def test_the_program_takes_a_request_once(raw: Raw) -> None:
    request, answer = raw.post("among", LIST)
    assert answer.status_code == 200
    for _ in range(2):
        again = raw.send("among", request.header, LIST)
        assert (again.status_code, code_of(again)) == (401, "stale")


def test_the_program_refuses_another_body(raw: Raw) -> None:
    other = messages.encode_list(Kind.AMONG, ["ab" * 32])
    for sent in (other, LIST[:-1]):
        answer = raw.send("among", raw.signed("among", LIST).header, sent)
        assert (answer.status_code, code_of(answer)) == (408, "cut-short")
    changed = bytearray(LIST)
    changed[-1] ^= 1
    answer = raw.send("among", raw.signed("among", LIST).header, bytes(changed))
    assert (answer.status_code, code_of(answer)) == (400, "altered")


@pytest.mark.parametrize("seconds", [-40, 40])
def test_the_program_refuses_another_time(raw: Raw, seconds: float) -> None:
    _, answer = raw.post("among", LIST, clock=lambda: system_clock() + timedelta(seconds=seconds))
    assert (answer.status_code, code_of(answer)) == (401, "stale")


@pytest.mark.parametrize(
    "otherwise", [{"key": Ed25519PrivateKey.generate()}, {"matcher": bytes(32)}], ids=["decider", "matcher"]
)
def test_the_program_refuses_another_key(raw: Raw, otherwise: dict[str, object]) -> None:
    _, answer = raw.post("among", LIST, **otherwise)
    assert (answer.status_code, code_of(answer)) == (401, "unknown")


def test_a_stranger_learns_nothing(raw: Raw) -> None:
    for send, status in _strange(raw):
        assert send().status_code == status


def _strange(raw: Raw) -> list[tuple[Callable[[], httpx.Response], int]]:
    client = raw.client
    return [
        (lambda: client.get("/v1/health"), 200),
        (lambda: client.get("/v1/search"), 404),
        (lambda: client.get("/docs"), 404),
        (lambda: client.post("/v1/search", content=b"x"), 401),
        (lambda: client.post("/v1/erase", content=b"x"), 404),
        (lambda: raw.send("keep", raw.signed("among", LIST).header, LIST), 401),
    ]


def test_two_proofs_are_none(raw: Raw, decider: Decider) -> None:
    header = raw.signed("among", LIST).header
    answer = raw.client.post(
        "/v1/among", content=LIST, headers=[("doorward-proof", header), ("doorward-proof", header)]
    )
    assert answer.status_code == 401
