"""Which matcher is asked, within this process or elsewhere; by whose cryptography galleries are sealed."""

from functools import partial
from pathlib import Path
from typing import Any

from doorward.app.decider.keys import public_keys_of
from doorward.core.clock import Clock
from doorward.core.errors import Unavailable
from doorward.core.key_files import public_key_of
from doorward.gallery.drivers.either_matcher import EitherMatcher
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.drivers.own_scheme import OwnScheme
from doorward.gallery.drivers.remote_matcher import RemoteMatcher
from doorward.gallery.drivers.seal_scheme import SealScheme
from doorward.gallery.drivers.signed_line import FarSide, SignedLine
from doorward.gallery.model import SchemeName
from doorward.gallery.ports import Blocks, Matcher, Scheme, Schemes
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


def schemes_of(kind: str) -> Schemes:
    """Both schemes, as a gallery may still be sealed by the former one; new ones by the settings' choice."""
    known: dict[SchemeName, Scheme[Any, Any]] = {SchemeName.OWN: OwnScheme(), SchemeName.SEAL: SealScheme()}
    return Schemes(known, SchemeName.SEAL if kind == "seal" else SchemeName.OWN)


def missing_library(schemes: Schemes) -> tuple[str, ...]:
    """What an operator should hear where the chosen scheme cannot be used."""
    try:
        schemes[schemes.chosen].require()
    except Unavailable as missing:
        return (f"{missing} Until then nobody is enrolled, and no gallery that it sealed is searched.",)
    return ()


def matcher_of(chosen: MatcherSettings, blocks: Blocks, vault: Vault, clock: Clock) -> tuple[Matcher, int]:
    """The matcher that the settings choose, and how many threads decide on its answers."""
    threads = chosen.threads or cores()
    here = LocalMatcher(blocks, threads=threads)
    if chosen.kind != "remote":
        return here, threads
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
    there = RemoteMatcher(blocks, place, partial(vault.signing_key, Purpose.MATCHER), clock)
    return EitherMatcher(there, here), threads


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
    if isinstance(matcher, EitherMatcher | RemoteDecider):
        matcher.close()
