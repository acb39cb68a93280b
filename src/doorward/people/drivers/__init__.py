"""Matchers we can use."""
