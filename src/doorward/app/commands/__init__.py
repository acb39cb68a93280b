"""The command line, one file per thing it speaks of; each command opens the house and calls a service."""
