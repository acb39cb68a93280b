"""Custodians of the root key, and where encrypted objects lie."""
