"""Keeps enrolled faces encrypted, and says who one is without ever showing how like: the key holder."""
