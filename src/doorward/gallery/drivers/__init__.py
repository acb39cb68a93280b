"""Stores of blocks, and matchers."""
