"""Power fails at every step of a change of the root key: the ring opens, and no root changes untold."""

import json
import signal

import pytest
from sqlalchemy import text

from doorward.core.permissions import EVERY_SITE, system_actor
from tests.faults.site import Site

# The step at which power fails, whether the ring is under the next root by then, and whether the change was
# announced and told in the log.
STEPS = [
    ("sql:INSERT INTO audit_entries", False, 0, 0),
    ("file:open:root.key.next", False, 0, 0),
    ("commit", False, 0, 0),
    ("committed", False, 1, 0),
    ("sql:INSERT INTO audit_entries#2", False, 1, 0),
    ("file:open:keyring.lock#2", False, 1, 0),
    ("file:open:keyring.json.new", False, 1, 0),
    ("file:os.rename:keyring.json.new", False, 1, 0),
    ("file:os.rename:root.key.next", True, 1, 0),
    ("commit#2", True, 1, 0),
    ("committed#2", True, 1, 1),
]


def ring_id(site: Site) -> str:
    told: str = json.loads((site.folder / "keys" / "keyring.json").read_text())["ring_id"]
    return told


def facts_of(site: Site, event: str) -> list[dict[str, str]]:
    wanted = text("SELECT facts FROM audit_entries WHERE event = :event ORDER BY position")
    with site.opened() as house, house.database.reading(system_actor("test"), EVERY_SITE) as unit:
        return [json.loads(row.facts) for row in unit.rows.execute(wanted, {"event": event})]


@pytest.mark.parametrize(("step", "changed", "announced", "told"), STEPS)
def test_power_may_fail_at_any_step_of_a_new_root(
    site: Site, step: str, changed: bool, announced: int, told: int
) -> None:
    before = ring_id(site)
    pid = site.zygote.start("deed", ["root", str(site.folder), step], site.folder.parent / "deed")
    assert site.zygote.wait(pid) == -signal.SIGKILL
    after = ring_id(site)
    assert (after != before) == changed
    with site.serving() as server:
        assert site.permit(server.ask(site.sighting())).opens
    ends, rotated = facts_of(site, "vault.root_ends"), facts_of(site, "vault.root_rotated")
    assert (len(ends), len(rotated)) == (announced, told)
    for entry in ends:
        assert (entry["ring"], entry["custodian"]) == (before, "file")
        assert (entry["next"] == after) == changed, "the ring's id tells whether what was announced was done"
    code, _, complaint = site.run("keys", "root")
    assert code == 0, complaint
    assert ring_id(site) not in (before, after)
    assert not (site.folder / "keys" / "root.key.next").exists()
    assert facts_of(site, "vault.root_rotated")[-1] == {"ring": ring_id(site)}
    assert site.verified().size > 0
