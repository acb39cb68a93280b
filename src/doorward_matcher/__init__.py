"""The blind matcher as a program of its own: encrypted blocks and arithmetic, no key of any of them."""
