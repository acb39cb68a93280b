"""Measures the encrypted search beside searches in the clear, in a process of its own."""
