"""A site whose doorward.toml names a matcher elsewhere, by the steps of docs/operate/matcher.md."""

from pathlib import Path

import numpy as np
import pytest

from doorward.app.house import create_house, open_house
from doorward.core.encoding import to_text
from doorward.core.errors import Invalid, Unavailable
from doorward.gallery import service
from doorward.vault.model import Purpose
from tests.gallery.site import direction, near
from tests.matcher.world import Running, run


def test_a_site_with_its_matcher_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    house = create_house(folder)
    (public,) = house.vault.public_keys(Purpose.MATCHER).values()
    house.close()
    assert run("init", tmp_path / "m", "--decider", to_text(public), "--port", "0").returncode == 0
    running = Running(tmp_path / "m").start()
    try:
        settings = {"kind": "remote", **{k: running.facts[k] for k in ("url", "public_key", "certificate")}}
        lines = [f'{name} = "{value}"' for name, value in settings.items()]
        (folder / "doorward.toml").write_text("\n".join(["[matcher]", *lines, "threads = 1"]))
        house = open_house(folder)
        with house.unit() as unit:
            service.enrol(unit, house.keyholder, {"person_1": direction(1), "person_2": direction(2)})
        with house.unit() as unit:
            assert service.identify(unit, house.keyholder, near(2, 1), 0.5) == "person_2"
        running.kill()
        with pytest.raises(Unavailable), house.unit() as unit:
            service.identify(unit, house.keyholder, np.asarray(near(2, 2)), 0.5)
        house.close()
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ('kind = "remote"', "url and public_key"),
        ('kind = "cloud"', "matcher.kind"),
        ('kind = "remote"\nurl = "http://192.0.2.1"\npublic_key = "{key}"', "https"),
        ('kind = "remote"\nurl = "https://localhost"\npublic_key = "short"', "matcher.public_key must be"),
        ('kind = "remote"\nurl = "https://localhost"\npublic_key = "{key}"\ncertificate = "gone.pem"', "PEM"),
        (
            'kind = "remote"\nurl = "https://localhost"\npublic_key = "{key}"\nclient_key = "a.pem"',
            "Name both",
        ),
    ],
)
def test_a_site_refuses_a_matcher_that_it_could_not_trust(tmp_path: Path, lines: str, why: str) -> None:
    folder = tmp_path / "site"
    folder.mkdir(mode=0o700)
    (folder / "doorward.toml").write_text("[matcher]\n" + lines.format(key=to_text(bytes(range(32)))))
    with pytest.raises(Invalid, match=why):
        create_house(folder)
