"""Write to the log, sign it, prove parts of it, check all of it, and let old segments go."""

from doorward.audit.service.recording import record

__all__ = ["record"]
