"""Write to the log, sign it, prove parts of it, check all of it, and let old segments go."""

from doorward.audit.service.checking import verify
from doorward.audit.service.expiring import expire_segment, segment_before
from doorward.audit.service.exporting import export, head_json, leaf_json
from doorward.audit.service.heads import heads, latest_head, require_genuine, sign_head
from doorward.audit.service.listing import list_entries
from doorward.audit.service.proving import (
    begins_with,
    find_leaf,
    ledger_of,
    present_root,
    prove_consistency,
    prove_inclusion,
)
from doorward.audit.service.recording import record

__all__ = [
    "begins_with",
    "expire_segment",
    "export",
    "find_leaf",
    "head_json",
    "heads",
    "latest_head",
    "leaf_json",
    "ledger_of",
    "list_entries",
    "present_root",
    "prove_consistency",
    "prove_inclusion",
    "record",
    "require_genuine",
    "segment_before",
    "sign_head",
    "verify",
]
