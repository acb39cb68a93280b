"""Checks an exported Doorward audit log, or an erasure receipt, with nothing but the public key.

    python doorward_verify.py EXPORT --key NEWEST [--key OLDER] [--head HEAD.json] [--every-site]
    python doorward_verify.py RECEIPT.json --key PUBLIC --receipt-key PUBLIC

EXPORT is the folder that `doorward audit export` wrote. PUBLIC is a key in hexadecimal or a file that
holds it; have it from elsewhere than the export, and name the newest first: what older ones signed counts
as far as the newest signed it too. HEAD.json is a head you kept from an earlier day: the log must still
begin with it. A site's export withholds what other sites wrote, and the answer says how much; with
--every-site nothing may be withheld. Needs Python 3.11 and the package `cryptography`, and no part of
Doorward. Exit code 0: everything fits. 1: something does not, and what is printed. 2: unusable call.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HEAD_PREFIX = b"doorward/1/audit-head\n"
RECEIPT_PREFIX = b"doorward/1/erasure-receipt\n"


class Broken(Exception):
    """Something does not fit."""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(content: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """Grows leaf by leaf and knows its root."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf hash."""
        index = self.size
        while index & 1:
            leaf = node_hash(self._roots.pop(), leaf)
            index >>= 1
        self._roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of what was added so far."""
        if not self._roots:
            return sha256(b"").digest()
        carry = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            carry = node_hash(left, carry)
        return carry


def check_signature(keys: Iterable[bytes], message: bytes, signature: str, what: str) -> None:
    """One of the keys must have signed."""
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(signature), message)
            return
        except (InvalidSignature, ValueError):
            continue
    raise Broken(f"{what} is not signed by a key you gave.")


def check_head(head: dict[str, Any], keys: Iterable[bytes]) -> None:
    """The signature of a head."""
    body = {name: head[name] for name in ("at_us", "key_id", "root", "size")}
    check_signature(
        keys, HEAD_PREFIX + canonical(body), head["signature"], f"The head of size {head['size']}"
    )


def check_newest(heads: list[dict[str, Any]], keys: list[bytes]) -> None:
    """A key that was replaced may be in other hands: the newest must have signed a head as large as any."""
    largest = max(heads, key=lambda head: (head["size"], signs(keys[0], head)))
    if not signs(keys[0], largest):
        raise Broken(
            f"The head of size {largest['size']} is signed by an older key, and none so large by the newest."
        )


def signs(key: bytes, head: dict[str, Any]) -> bool:
    """Whether this key signed this head."""
    try:
        check_head(head, [key])
    except Broken:
        return False
    return True


def digest_of(line: dict[str, Any], position: int) -> bytes:
    """The leaf hash of one line of the export, which must be the line of its position."""
    if line.get("position") != position:
        raise Broken(f"Position {position} is missing.")
    if "leaf" not in line:
        return bytes.fromhex(line["digest"])
    if json.loads(line["leaf"])[0] != position:
        raise Broken(f"The entry at position {position} says that it stands elsewhere.")
    return leaf_hash(line["leaf"].encode())


class Expiry:
    """Every entry that lost its body must lie in a segment that the log declares expired."""

    def __init__(self) -> None:
        self._gone: list[int] = []
        self._declared: set[int] = set()
        self.withheld = 0

    def note(self, line: dict[str, Any]) -> None:
        """Look at one line."""
        if "leaf" not in line:
            if line["why"] not in ("withheld", "expired"):
                raise Broken(f"Position {line['position']} does not say why its entry is not shown.")
            self.withheld += line["why"] == "withheld"
            if line["why"] == "expired":
                self._gone.append(line["position"])
            return
        event, facts = json.loads(line["leaf"])[2], json.loads(line["leaf"])[6]
        if event == "audit.expired":
            for first, last in json.loads(facts)["runs"]:
                self._declare(first, last, before=line["position"])

    def _declare(self, first: int, last: int, *, before: int) -> None:
        if not 0 <= first <= last < before:
            raise Broken(f"The entry at position {before} declares what it cannot know expired.")
        self._declared.update(range(first, last + 1))

    def check(self) -> str:
        """A sentence on what could be told; the declarations of other sites are withheld with the rest."""
        if not self._gone:
            return "No entry has expired."
        free = [at for at in self._gone if at not in self._declared]
        if free and not self.withheld:
            raise Broken(f"The entry at position {free[0]} lost its body without an expiry in the log.")
        if free:
            return f"{len(self._gone)} entries expired; {len(free)} of them may belong to other sites."
        return f"{len(self._gone)} entries expired, as the log itself declares."


def check_export(
    folder: Path, keys: list[bytes], kept: list[dict[str, Any]], *, every_site: bool = False
) -> list[str]:
    """Compute the whole tree anew and compare it with every head; sentences on what was found."""
    heads = [*_lines(folder / "heads.jsonl"), *kept]
    if not heads:
        raise Broken("The export holds no signed head: nothing in it can be trusted.")
    by_size: dict[int, list[dict[str, Any]]] = {}
    for head in heads:
        check_head(head, keys)
        by_size.setdefault(head["size"], []).append(head)
    check_newest(heads, keys)
    tree, expiry, covered = Tree(), Expiry(), 0
    covered = _compare(tree, by_size, covered)
    for line in _lines(folder / "entries.jsonl"):
        tree.add(digest_of(line, tree.size))
        expiry.note(line)
        covered = _compare(tree, by_size, covered)
    if by_size:
        raise Broken(
            f"The log ends at position {tree.size - 1}, before a signed head of {max(by_size)} entries."
        )
    if every_site and expiry.withheld:
        raise Broken(f"{expiry.withheld} entries are withheld: this is not the export of every site.")
    loose = tree.size - covered
    found = [f"{tree.size} entries, {len(heads)} signed heads, all fit.", expiry.check()]
    if expiry.withheld:
        found.append(
            f"{expiry.withheld} entries are withheld, as other sites' are: their bodies were not seen."
        )
    return found + ([f"The last {loose} entries are not covered by a signed head yet."] if loose else [])


def _compare(tree: Tree, by_size: dict[int, list[dict[str, Any]]], covered: int) -> int:
    for head in by_size.pop(tree.size, []):
        if bytes.fromhex(head["root"]) != tree.root():
            raise Broken(f"The log was changed between position {covered} and {tree.size - 1}.")
        covered = tree.size
    return covered


def check_receipt(receipt: dict[str, Any], keys: list[bytes], receipt_keys: list[bytes]) -> list[str]:
    """The receipt's signature, its entry in the log, the path to the head, and the head's signature."""
    body = receipt["body"]
    check_signature(receipt_keys, RECEIPT_PREFIX + canonical(body), receipt["signature"], "The receipt")
    check_head(body["head"], keys)
    entry, proof = json.loads(body["leaf"]), body["proof"]
    if entry[0] != proof["position"] or entry[2] != "subject.erased" or entry[4] != body["subject_id"]:
        raise Broken("The entry in the receipt does not tell of this erasure.")
    at = datetime.fromisoformat(body["erased_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    told = [entry[1], at // timedelta(microseconds=1), json.loads(entry[6])["key"]]
    if told != [body["site_id"], entry[5], body["data_key_id"]]:
        raise Broken("The receipt says another site, time or key than its entry in the log.")
    if proof["size"] != body["head"]["size"]:
        raise Broken("The proof in the receipt leads to another head.")
    path = [bytes.fromhex(step) for step in proof["path"]]
    root = climb(proof["position"], proof["size"], leaf_hash(body["leaf"].encode()), path)
    if root != bytes.fromhex(body["head"]["root"]):
        raise Broken("The receipt's entry is not in the log.")
    return [
        f"{body['subject_id']} was erased at {body['erased_at']}; its key {body['data_key_id']} is destroyed."
    ]


def climb(position: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root to which an inclusion path leads (RFC 9162, 2.1.3.2)."""
    if not 0 <= position < size:
        raise Broken("The proof names a position outside the log.")
    fn, sn, carry = position, size - 1, leaf
    for step in path:
        if sn == 0:
            raise Broken("The proof is too long.")
        if fn & 1 or fn == sn:
            carry = node_hash(step, carry)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            carry = node_hash(carry, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Broken("The proof is too short.")
    return carry


def read_key(text: str) -> bytes:
    """A public key of 32 bytes in hexadecimal, or from a file that holds that."""
    path = Path(text)
    raw = bytes.fromhex((path.read_text() if path.is_file() else text).strip())
    if len(raw) != 32:
        raise ValueError("a public key has 32 bytes")
    return raw


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as source:
        for line in source:
            yield json.loads(line)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", type=Path, help="folder of an export, or a receipt")
    parser.add_argument("--key", action="append", required=True, type=read_key, help="key of the audit log")
    parser.add_argument("--receipt-key", action="append", default=[], type=read_key, help="key of receipts")
    parser.add_argument("--every-site", action="store_true", help="refuse an export that withholds anything")
    parser.add_argument("--head", action="append", default=[], type=Path, help="a head kept from before")
    asked = parser.parse_args(argv)
    if (asked.head or asked.every_site) and not asked.what.is_dir():
        parser.error("--head and --every-site are about the folder of an export, and this is none")
    return asked


def main(argv: list[str] | None = None) -> int:
    """Check what the arguments name; the exit code."""
    asked = _arguments(argv)
    try:
        if asked.what.is_dir():
            kept = [json.loads(path.read_bytes()) for path in asked.head]
            found = check_export(asked.what, asked.key, kept, every_site=asked.every_site)
        else:
            found = check_receipt(json.loads(asked.what.read_bytes()), asked.key, asked.receipt_key)
    except Broken as broken:
        sys.stdout.write(f"BROKEN: {broken}\n")
        return 1
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        sys.stdout.write(
            f"BROKEN: this does not have the form of an export or receipt ({type(error).__name__}).\n"
        )
        return 1
    sys.stdout.write("\n".join(["OK", *found]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
