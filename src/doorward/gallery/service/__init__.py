"""Deeds of the key holder: enrol, forget, identify, verify; seal anew, mend, re-key."""

from doorward.gallery.service.asking import count, doubt, identify, missing, standing, trust_again, verify
from doorward.gallery.service.checking import is_sound, list_kept, mend
from doorward.gallery.service.enrolling import CLEAR_FORGOTTEN, clear_forgotten, enrol, forget
from doorward.gallery.service.keyholder import KeyHolder
from doorward.gallery.service.mending import CLEAR_RETIRED, Templates
from doorward.gallery.service.rekeying import (
    REKEY,
    begin_rekey,
    clear_retired,
    follow_settings,
    go_on,
    go_on_by_job,
)
from doorward.gallery.service.sweeping import sweep_blocks

__all__ = [
    "CLEAR_FORGOTTEN",
    "CLEAR_RETIRED",
    "REKEY",
    "KeyHolder",
    "Templates",
    "begin_rekey",
    "clear_forgotten",
    "clear_retired",
    "count",
    "doubt",
    "enrol",
    "follow_settings",
    "forget",
    "go_on",
    "go_on_by_job",
    "identify",
    "is_sound",
    "list_kept",
    "mend",
    "missing",
    "standing",
    "sweep_blocks",
    "trust_again",
    "verify",
]
