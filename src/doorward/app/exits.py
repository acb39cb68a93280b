"""What each family of error becomes for whoever runs a command: an exit code."""

EXIT_CODES = {
    "invalid": 2,
    "denied": 4,
    "unauthenticated": 4,
    "not-found": 5,
    "conflict": 6,
    "unavailable": 7,
    "tampered": 8,
}
INTERNAL_EXIT = 70  # EX_SOFTWARE
