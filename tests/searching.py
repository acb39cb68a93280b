"""Recognisers as the product makes them: the encrypted search, its blocks in a folder of the test's own."""

from functools import partial
from pathlib import Path

from doorward.app.matchers import schemes_of
from doorward.core.keys import FaceKeys
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.service import KeyHolder
from doorward.matching.block_files import FolderBlocks
from doorward.people.drivers.blind_matcher import BlindMatcher
from doorward.people.service.recogniser import Recogniser
from doorward.people.service.templates import templates_of
from doorward.vault.model import Purpose
from doorward.vault.service import Vault


def recogniser_at(vault: Vault, folder: Path) -> Recogniser:
    """As another process would make it, over the blocks in this folder."""
    blocks = FolderBlocks(folder)
    keyholder = KeyHolder(
        vault,
        blocks,
        LocalMatcher(blocks),
        schemes=schemes_of("local"),
        templates=partial(templates_of, vault),
    )
    keys = FaceKeys.from_signing_keys([one.private_key for one in vault.signers(Purpose.GATES)])
    return Recogniser(vault, BlindMatcher(keyholder, keys))
