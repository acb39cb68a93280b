"""Who the sender is behind a reverse proxy: nobody but a listed one speaks for another's address."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from doorward.app.house import create_house
from doorward.app.wiring import build_api
from doorward.core.errors import Invalid
from doorward.people.rules.sign_in import ADDRESS_LIMIT
from doorward.platform.addresses import narrow_networks, sender_behind
from doorward.platform.settings import load_settings
from tests.conftest import SteppingClock
from tests.people.staffroom import quick_passwords

PROXY, SECOND, STRANGER = "10.0.0.7", "10.0.0.8", "198.51.100.9"
TRUSTED = narrow_networks(f"{PROXY}, {SECOND}, 2001:db8:1::/64")


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        (STRANGER, ["192.0.2.1"], STRANGER),  # nobody who is not listed is believed
        (PROXY, [], PROXY),
        (PROXY, ["192.0.2.1"], "192.0.2.1"),
        (PROXY, ["203.0.113.5, 192.0.2.1"], "192.0.2.1"),  # what the sender wrote himself stands further left
        (PROXY, ["203.0.113.5", "192.0.2.1"], "192.0.2.1"),  # the header twice is one list
        (PROXY, [f"192.0.2.1, {SECOND}"], "192.0.2.1"),
        (PROXY, [f"{SECOND}, {SECOND}"], SECOND),
        (PROXY, ["192.0.2.1, unknown"], PROXY),
        (PROXY, ["192.0.2.1, "], PROXY),
        (PROXY, [f"192.0.2.1, nonsense, {SECOND}"], SECOND),
        (PROXY, ["192.0.2.1:4711"], "192.0.2.1"),
        (PROXY, ["[2001:db8::7]:4711"], "2001:db8::7"),
        (PROXY, ["2001:db8::7"], "2001:db8::7"),
        ("2001:db8:1::1", ["192.0.2.1"], "192.0.2.1"),
        (f"::ffff:{PROXY}", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("testclient", ["192.0.2.1"], "testclient"),
    ],
)
def test_the_sender_is_the_last_hop_that_is_no_proxy_of_ours(
    peer: str, forwarded: list[str], sender: str
) -> None:
    assert sender_behind(peer, forwarded, TRUSTED) == sender


@given(st.lists(st.text(max_size=60), max_size=4))
def test_whatever_a_sender_writes_he_stays_the_sender(written: list[str]) -> None:
    assert sender_behind(STRANGER, written, TRUSTED) == STRANGER
    assert sender_behind(PROXY, [*written, STRANGER], TRUSTED) == STRANGER
    assert sender_behind(PROXY, [",".join([*written, STRANGER])], TRUSTED) == STRANGER


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "10.0.0.0/8", "2001:db8::/32", f"{PROXY}, 0.0.0.0/1"])
def test_a_list_that_is_wide_open_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "doorward.toml").write_text(f'[web]\ntrusted_proxies = "{text}"\n')
    with pytest.raises(Invalid, match=r"web\.trusted_proxies.*name the proxies alone"):
        load_settings(tmp_path)


@pytest.mark.parametrize("text", ["*", "proxy.example.org", "10.0.0.7/24", "10.0.0.7 10.0.0.8"])
def test_a_list_that_names_no_addresses_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "doorward.toml").write_text(f'[web]\ntrusted_proxies = "{text}"\n')
    with pytest.raises(Invalid, match=r"web\.trusted_proxies"):
        load_settings(tmp_path)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    monkeypatch.setenv("DOORWARD_WEB__TRUSTED_PROXIES", PROXY)
    yield from served(tmp_path / "site")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    monkeypatch.delenv("DOORWARD_WEB__TRUSTED_PROXIES", raising=False)
    yield from served(tmp_path / "site")


def served(folder: Path) -> Iterator[FastAPI]:
    house = create_house(folder, SteppingClock())
    api = build_api(house)
    api.state.passwords = quick_passwords()
    yield api
    house.close()


def knock(api: FastAPI, peer: str, forwarded: str, login: str = "nobody") -> str:
    """What is said to a wrong sign-in."""
    client = TestClient(api, base_url="https://testserver", client=(peer, 50000))
    sent = {"login": login, "password": "a guess"}
    answer = client.post("/api/v1/sign-in", json=sent, headers={"X-Forwarded-For": forwarded})
    return str(answer.json()["detail"])


def lock(api: FastAPI, peer: str, forwarded: list[str]) -> None:
    for number, named in enumerate(forwarded):
        assert "wrong" in knock(api, peer, named, f"nobody{number}")


def test_guesses_of_one_sender_lock_out_nobody_else_behind_the_proxy(api: FastAPI) -> None:
    lock(api, PROXY, ["192.0.2.1"] * ADDRESS_LIMIT.failures)
    assert "Too many failures" in knock(api, PROXY, "192.0.2.1")
    assert "wrong" in knock(api, PROXY, "192.0.2.2")


def test_no_invented_hop_takes_a_sender_out_of_his_lock(api: FastAPI) -> None:
    lock(api, PROXY, [f"203.0.113.{number}, 192.0.2.1" for number in range(ADDRESS_LIMIT.failures)])
    assert "Too many failures" in knock(api, PROXY, "203.0.113.99, 192.0.2.1")


@pytest.mark.parametrize("kind", ["api", "bare"])
def test_whoever_is_not_listed_speaks_for_himself_alone(kind: str, request: pytest.FixtureRequest) -> None:
    api = request.getfixturevalue(kind)
    peer = STRANGER if kind == "api" else PROXY
    lock(api, peer, [f"192.0.2.{number}" for number in range(ADDRESS_LIMIT.failures)])
    assert "Too many failures" in knock(api, peer, "192.0.2.99")
