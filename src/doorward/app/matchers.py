"""Which matcher is asked: one within this process, or one elsewhere."""

from functools import partial
from pathlib import Path

from doorward.app.decider.keys import public_keys_of
from doorward.core.clock import Clock
from doorward.core.errors import Invalid
from doorward.core.key_files import public_key_of
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.drivers.remote_matcher import RemoteMatcher
from doorward.gallery.drivers.signed_line import FarSide, SignedLine
from doorward.gallery.ports import Blocks, Matcher
from doorward.matching.block_files import FolderBlocks
from doorward.matching.block_objects import ObjectBlocks
from doorward.matching.sharing import cores
from doorward.people.drivers.remote_decider import SAID, RemoteDecider
from doorward.platform.apart import Decider as DeciderSettings
from doorward.platform.settings import Matcher as MatcherSettings
from doorward.vault.model import Purpose
from doorward.vault.service import Vault


def blocks_of(chosen: MatcherSettings, folder: Path) -> Blocks:
    """Encrypted blocks in a folder, and in a store besides if the settings name one."""
    kept = FolderBlocks(folder)
    return kept if chosen.objects is None else ObjectBlocks(chosen.objects, kept, endpoint=chosen.endpoint)


def matcher_of(chosen: MatcherSettings, blocks: Blocks, vault: Vault, clock: Clock) -> tuple[Matcher, int]:
    """The matcher that the settings choose, and how many threads decide on its answers."""
    threads = chosen.threads or cores()
    if chosen.kind == "seal":
        raise Invalid("matcher.kind = seal is not built into this version: choose local or remote.")
    if chosen.kind == "local":
        return LocalMatcher(blocks, threads=threads), threads
    assert chosen.url is not None
    assert chosen.public_key is not None
    place = FarSide(
        url=chosen.url,
        public_key=public_key_of(chosen.public_key, named="matcher.public_key"),
        certificate=chosen.certificate,
        client_certificate=chosen.client_certificate,
        client_key=chosen.client_key,
        timeout_seconds=chosen.timeout_seconds,
    )
    return RemoteMatcher(blocks, place, partial(vault.signing_key, Purpose.MATCHER), clock), threads


def decider_of(chosen: DeciderSettings, vault: Vault, clock: Clock) -> RemoteDecider:
    """The decider elsewhere that the settings name."""
    assert chosen.url is not None
    assert chosen.public_key is not None
    public_key, face_key = public_keys_of(chosen.public_key)
    there = FarSide(
        url=chosen.url,
        public_key=public_key,
        certificate=chosen.certificate,
        client_certificate=chosen.client_certificate,
        client_key=chosen.client_key,
        timeout_seconds=chosen.timeout_seconds,
    )
    signing = partial(vault.signing_key, Purpose.DECIDER)
    return RemoteDecider(SignedLine(there, signing, clock, name="decider", said=SAID), face_key)


def close_matcher(matcher: object) -> None:
    """Let go of the connections to one elsewhere."""
    if isinstance(matcher, RemoteMatcher | RemoteDecider):
        matcher.close()
