import socket
from pathlib import Path

import pytest

from doorward.core.errors import Conflict, Invalid, Unavailable
from doorward.core.wire import Kind, Outcome, Permit, Sighting, open_message, seal_message
from doorward_edge.drivers.http_link import HttpLink, Server
from tests.edge.http_server import make_certificate, serving
from tests.edge.world import AGENT_KEY, CARD, NOON, SERVER_KEY, FakeServer

SIGHTING = seal_message(
    AGENT_KEY, "agent_a", Sighting(agent_id="agent_a", gate_id="gate_a", sequence=1, seen_at=NOON, card=CARD)
)


def test_the_pinned_certificate_is_trusted_and_no_other(tmp_path: Path) -> None:
    ours, others = make_certificate(tmp_path, "ours"), make_certificate(tmp_path, "others")
    with serving(FakeServer(now=lambda: NOON), ours) as url:
        link = HttpLink(Server(url=url, site_id="site_a", certificate=ours[0]))
        permit = open_message(SERVER_KEY.public_key(), Permit, link.ask(SIGHTING))
        assert permit.opens
        link.close()
        stranger = HttpLink(Server(url=url, site_id="site_a", certificate=others[0]))
        with pytest.raises(Unavailable):
            stranger.ask(SIGHTING)
        stranger.close()


@pytest.mark.parametrize(
    "server",
    [
        Server(url="http://192.0.2.1:8000", site_id="s"),
        Server(url="http://door.example", site_id="s"),
        Server(url="ftp://127.0.0.1", site_id="s"),
        Server(url="https://127.0.0.1", site_id="s"),
        Server(url="https://127.0.0.1", site_id="s", certificate=Path("missing.pem")),
    ],
)
def test_an_exposed_line_is_refused_at_once(server: Server) -> None:
    with pytest.raises(Invalid):
        HttpLink(server)


def test_a_server_that_is_gone_or_silent_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        link = HttpLink(Server(url=url, site_id="s", answer_seconds=0.05))
        with pytest.raises(Unavailable):
            link.ask(SIGHTING)
    with pytest.raises(Unavailable):
        link.ask(SIGHTING)
    link.close()


def test_what_the_server_says_with_its_status_arrives_as_the_right_family() -> None:
    server = FakeServer(now=lambda: NOON)
    with serving(server) as url:
        link = HttpLink(Server(url=url, site_id="s"))
        server.away = True
        with pytest.raises(Unavailable):
            link.ask(SIGHTING)
        server.away = False

        def conflict() -> None:
            raise Conflict("no")

        server.before_answer = conflict
        with pytest.raises(Conflict):
            link.ask(SIGHTING)
        outcome = seal_message(
            AGENT_KEY, "agent_a", Outcome(permit_id="p", gate_id="gate_a", moved=True, at=NOON)
        )
        with pytest.raises(Invalid):
            link.report(Kind.DOOR_STATE, outcome)
        link.report(Kind.OUTCOME, outcome)
        link.close()
    assert len(server.outcomes) == 1
