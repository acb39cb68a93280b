"""Deeds of the key holder: enrol, forget, identify, verify; seal anew, re-key."""
