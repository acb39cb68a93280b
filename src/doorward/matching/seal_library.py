"""Microsoft SEAL, through the Python package `tenseal`: makes keys, encrypts, decrypts.

SEAL reads and writes only files, and `tenseal` reads words of a ciphertext but sets none. So what goes in
passes through a nameless file in memory (memfd) of mode 0600, overwritten after each use; it is on no disk
and, as the memory of this process, closed to others. The layout is that of SEAL 4 (native/src/seal:
serialization.h, plaintext.cpp, ciphertext.cpp, dynarray.h).
"""

import os
import struct
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Tampered, Unavailable
from doorward.matching.parameters import MODULUS, RING_DEGREE
from doorward.matching.ring import Words

PLAIN_MODULUS: Final = 38_916
"""Scores are exact below half of it, in steps of 1/133 times 1/133: 2.2 times that square."""
HEADER: Final = struct.Struct("<HBBBBHQ")
CIPHERTEXT: Final = struct.Struct(
    "<4Q?QQQdQ"
)  # parameters, transformed, polynomials, n, primes, scale, factor
PLAINTEXT: Final = struct.Struct("<4QQd")  # parameters, coefficients, scale
UNCOMPRESSED: Final = 0


@cache
def _seal() -> Any:
    try:
        import tenseal.sealapi as library  # noqa: PLC0415 (only those who chose it have it)
    except ImportError as missing:
        raise Unavailable('The matcher "seal" needs a library: install doorward[seal].') from missing
    return library


class SealLibrary:
    """SEAL with our ring: BFV, n = 2048, one prime of 28 bits; SEAL itself enforces 128 bits of security.

    Any thread may call it, and a forked process: it has a nameless file of its own.
    """

    def __init__(self) -> None:
        library = _seal()
        parameters = library.EncryptionParameters(library.SCHEME_TYPE.BFV)
        parameters.set_poly_modulus_degree(RING_DEGREE)
        parameters.set_coeff_modulus(library.CoeffModulus.Create(RING_DEGREE, [MODULUS.bit_length()]))
        parameters.set_plain_modulus(PLAIN_MODULUS)
        self._context = library.SEALContext(parameters, True, library.SEC_LEVEL_TYPE.TC128)
        if not self._context.parameters_set() or parameters.coeff_modulus()[0].value() != MODULUS:
            raise Unavailable("This build of SEAL has other parameters than Doorward expects.")
        self._library = library
        self._own_file()
        self._version = HEADER.unpack(self._saved(library.KeyGenerator(self._context).secret_key())[:16])[2:4]
        sample = library.Ciphertext()
        encryptor = library.Encryptor(self._context, library.KeyGenerator(self._context).secret_key())
        encryptor.encrypt_symmetric(library.Plaintext("1"), sample)
        self._parameters = sample.parms_id()

    def __del__(self) -> None:
        """Give the nameless file back."""
        if hasattr(self, "_file"):
            os.close(self._file)

    def fresh_key(self) -> Any:
        """A new secret key, drawn by SEAL."""
        return self._library.KeyGenerator(self._context).secret_key()

    def key_bytes(self, key: Any) -> bytes:
        """A secret key as SEAL saves it: to be kept sealed."""
        self._own_file()
        with self._turn:
            return self._saved(key)

    def key_from(self, saved: bytes) -> Any:
        """A secret key that was saved."""
        key = self._library.SecretKey()
        self._load(key, saved)
        return key

    def encrypted(self, key: Any, columns: NDArray[np.int32]) -> tuple[Words, Words]:
        """Each column (n, any) of signed numbers as a ciphertext: two polynomials, uint32 (n, any) each."""
        encryptor = self._library.Encryptor(self._context, key)
        halves = np.empty((2, *columns.shape), np.uint32)
        plain, cipher = self._library.Plaintext(), self._library.Ciphertext()
        for place in range(columns.shape[1]):
            words = np.mod(columns[:, place].astype(np.int64), PLAIN_MODULUS)
            head = PLAINTEXT.pack(0, 0, 0, 0, RING_DEGREE, 1.0)
            self._load(plain, self._blob(head + self._array(words)))
            encryptor.encrypt_symmetric(plain, cipher)
            flat = np.fromiter((cipher[i] for i in range(2 * RING_DEGREE)), np.uint32, 2 * RING_DEGREE)
            halves[:, :, place] = flat.reshape(2, RING_DEGREE)
            plain.set_zero()
        return halves[0], halves[1]

    def decrypted(self, key: Any, first: Words, second: Words) -> NDArray[np.int32]:
        """The signed numbers (n,) of one ciphertext; `Tampered` where SEAL finds no ciphertext in it."""
        head = CIPHERTEXT.pack(*self._parameters, False, 2, RING_DEGREE, 1, 1.0, 1)
        cipher, plain = self._library.Ciphertext(), self._library.Plaintext()
        self._load(cipher, self._blob(head + self._array(np.concatenate([first, second]))))
        self._library.Decryptor(self._context, key).decrypt(cipher, plain)
        numbers = np.zeros(RING_DEGREE, np.int32)
        count = plain.coeff_count()
        numbers[:count] = np.fromiter((plain[i] for i in range(count)), np.int32, count)
        plain.set_zero()
        return np.where(numbers > PLAIN_MODULUS // 2, numbers - PLAIN_MODULUS, numbers).astype(np.int32)

    def _own_file(self) -> None:
        """A file and a lock that nobody else has: a parent goes on to write to the one that it made."""
        if getattr(self, "_process", None) == os.getpid():
            return
        self.__del__()
        self._turn = threading.Lock()
        self._file = os.memfd_create("doorward", os.MFD_CLOEXEC)
        os.fchmod(self._file, 0o600)
        self._path = f"/proc/self/fd/{self._file}"
        self._process = os.getpid()

    def _blob(self, raw: bytes) -> bytes:
        return HEADER.pack(0xA15E, HEADER.size, *self._version, UNCOMPRESSED, 0, HEADER.size + len(raw)) + raw

    def _array(self, words: NDArray[Any]) -> bytes:
        return self._blob(struct.pack("<Q", len(words)) + words.astype("<u8").tobytes())

    def _saved(self, thing: Any) -> bytes:
        def read() -> bytes:
            thing.save(self._path)
            return os.pread(self._file, os.fstat(self._file).st_size, 0)

        return self._wiped(read)

    def _load(self, thing: Any, saved: bytes) -> None:
        def write() -> bytes:
            os.pwrite(self._file, saved, 0)
            try:
                thing.load(self._context, self._path)
            except (RuntimeError, ValueError) as refused:
                raise Tampered("SEAL does not know these bytes as its own.") from refused
            return saved

        self._own_file()
        with self._turn:
            self._wiped(write)

    def _wiped(self, use: Callable[[], bytes]) -> bytes:
        try:
            return use()
        finally:
            os.pwrite(self._file, bytes(os.fstat(self._file).st_size), 0)
            os.ftruncate(self._file, 0)
