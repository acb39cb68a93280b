import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import doorward_verify
from doorward.audit.model import Entry, Frontier, Head
from doorward.audit.rules import entry_bytes, extends, grow, head_bytes, includes, leaf_hash, root_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "security" / "audit-log.md"


@pytest.fixture
def told() -> dict[str, Any]:
    block = DOCUMENT.read_text().split("```json\n")[1].split("```")[0]
    content: dict[str, Any] = json.loads(block)
    return content


def hashes(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def test_the_documented_leaves_and_roots_are_ours(told: dict[str, Any]) -> None:
    frontier, tree = Frontier(0, ()), doorward_verify.Tree()
    for text, digest in zip(told["leaves"], hashes(told["leaf_hashes"]), strict=True):
        at, site, event, actor, subject, at_us, facts, salt = json.loads(text)
        entry = Entry(at, site, event, actor, subject, at_us, facts, bytes.fromhex(salt))
        assert entry_bytes(entry) == text.encode()
        assert leaf_hash(text.encode()) == digest
        frontier, _ = grow(frontier, digest)
        tree.add(digest)
        root = bytes.fromhex(told[f"root_of_{frontier.size}"])
        assert root == root_of(frontier) == tree.root()


def test_the_documented_proofs_hold(told: dict[str, Any]) -> None:
    leaves, root = hashes(told["leaf_hashes"]), bytes.fromhex(told["root_of_3"])
    assert includes(0, 3, leaves[0], hashes(told["inclusion_of_0_in_3"]), root)
    roots = (bytes.fromhex(told["root_of_2"]), root)
    assert extends(2, 3, hashes(told["consistency_2_to_3"]), roots)


def test_the_documented_signature_is_that_of_the_documented_key(told: dict[str, Any]) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(told["private_key"]))
    assert private.public_key().public_bytes_raw().hex() == told["public_key"]
    content = json.loads(told["head_bytes"].split("\n")[1])
    head = Head(content["size"], bytes.fromhex(content["root"]), content["at_us"], content["key_id"])
    assert head_bytes(head) == told["head_bytes"].encode()
    assert private.sign(head_bytes(head)).hex() == told["head_signature"]
    signed = content | {"signature": told["head_signature"]}
    doorward_verify.check_head(signed, [bytes.fromhex(told["public_key"])])


@pytest.mark.parametrize("more", [["--every-site"], ["--head", "kept.json"]])
def test_what_is_about_an_export_is_not_passed_over_for_a_receipt(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "receipt.json").write_text("{}")
    with pytest.raises(SystemExit) as left:
        doorward_verify.main([str(tmp_path / "receipt.json"), "--key", "00" * 32, *more])
    assert left.value.code == 2
