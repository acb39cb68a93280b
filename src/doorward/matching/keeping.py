"""Where compiled loops are kept: beside the source, or in the folder that NUMBA_CACHE_DIR names.

numba's own keeping fits a workbench: it looks at one file to tell whether the code is still right, and reads
no folder that it may not write to. Here the code is bound to the source of all loops together (and, by numba,
to its version and the processor), and what the installer compiled serves an account that cannot write. Who
can write to that folder rules the process, as with the source itself.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from numba.core import caching

SOURCES: Final = ("blocks", "compiling", "matcher", "opening", "parameters", "queries", "randomness", "ring")
"""The files of loops and of what they take in: a constant in one is part of the code of another."""


@cache
def source_digest() -> str:
    """Of those files."""
    source = hashlib.sha256()
    for name in SOURCES:
        source.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return source.hexdigest()


class _Named(caching.UserProvidedCacheLocator):
    def get_source_stamp(self) -> str:
        return source_digest()

    def ensure_cache_path(self) -> None:
        _ensure(super().ensure_cache_path, self._cache_path)


class _Beside(caching.InTreeCacheLocator):
    def get_source_stamp(self) -> str:
        return source_digest()

    def ensure_cache_path(self) -> None:
        _ensure(super().ensure_cache_path, self._cache_path)


class _OfUser(caching.UserWideCacheLocator):
    def get_source_stamp(self) -> str:
        return source_digest()


def _ensure(writable: Callable[[], None], folder: str) -> None:
    try:
        writable()
    except OSError:
        if not any(Path(folder).glob("*.nbi")):  # nothing was prepared there either
            raise


class _Places(caching.CompileResultCacheImpl):
    _locator_classes = [_Named, _Beside, _OfUser]  # noqa: RUF012 (declared so by numba)


_Base: Any = caching.FunctionCache


class _Kept(_Base):  # type: ignore[misc]  # numba's is not annotated
    _impl_class = _Places

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):  # read-only, and made for another processor: this process does without
            super().save_overload(sig, data)


def kept(function: Callable[..., Any]) -> Any:
    """What finds this function's code and keeps it; nothing is kept where no folder can be used."""
    try:
        return _Kept(function)
    except RuntimeError:
        return caching.NullCache()
