"""The numbers of the scheme, in one place. The argument for each is in docs/security/matching.md.

Symmetric ring-LWE over R = Z_q[X]/(X^n + 1) with ternary secrets. The Homomorphic Encryption Standard allows
54 bits of modulus at n = 2048 for 128 bits of security; 28 bits leave a wide margin (decision 0019).
"""

from typing import Final

FORMAT: Final = 1
"""Raised whenever a number here changes: blocks, queries and answers of two formats do not mix."""

RING_DEGREE: Final = 2048  # n
MODULUS: Final = 268_369_921  # q: prime, 28 bits, q = 1 mod 2n
NOISE_PAIRS: Final = 21  # errors are centred binomial of so many pairs of bits: sigma 3.24
NOISE_REACH: Final = NOISE_PAIRS  # no error is larger

BLOCK_SIZE: Final = RING_DEGREE  # templates in a block, one a coefficient
BLOCKS_PER_MASK: Final = 64  # blocks that share their public half `a`, each under a secret of its own

GRID: Final = 2 * NOISE_REACH + 1
"""One step of a stored coordinate: no error reaches half of it, so that sealing anew loses nothing."""
COORDINATE_SCALE: Final = 70
"""Steps in a coordinate of 1.0. More would round less and drown the product of errors less well; near here
the two are even, and a cosine is off by 0.0056 (one sigma) in a full block."""
MOST_STEPS: Final = COORDINATE_SCALE + 1  # of a coordinate, in a template of length one
ROW_REACH: Final = 1.04 * COORDINATE_SCALE  # of a template: up to 1 % too long, and its rounding

SCORE_SCALE: Final = MODULUS / 2.2
"""What a cosine of 1.0 becomes: 10 % below where the ring would wrap around."""
QUERY_SCALE: Final = SCORE_SCALE / (GRID * COORDINATE_SCALE)
QUERY_REACH: Final = 1.011 * QUERY_SCALE  # of a query: up to 1 % too long, and its rounding

SEED_BYTES: Final = 32
LONGEST_TEMPLATE: Final = 512  # coordinates

assert MODULUS % (2 * RING_DEGREE) == 1
# What loops add up without reducing on the way fits 64 bits. (Longer words, from a matcher or a damaged disk,
# wrap around and fail the check of answers.)
assert LONGEST_TEMPLATE * (MODULUS // 2) ** 2 < 2**63
assert BLOCKS_PER_MASK * (MODULUS - 1) ** 2 < 2**64
# A cosine wraps around at 1.1: nothing that may be sealed and asked comes within eight sigmas of it.
assert ROW_REACH / COORDINATE_SCALE * QUERY_REACH / QUERY_SCALE < 1.1 - 8 * 0.0056
