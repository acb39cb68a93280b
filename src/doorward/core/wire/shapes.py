"""Strict readers: a value of exactly the expected shape comes through, all else is `Invalid`."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Invalid

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader = Callable[[Any], T]
AN_INSTANT = "an instant such as 2030-01-07T12:00:00.000000Z"


def refuse(what: str) -> Invalid:
    """The error for a value that is not `what`; the value itself stays out of it."""
    return Invalid(f"This message cannot be read: expected {what}.")


def text(longest: int, *, shortest: int = 1) -> Reader[str]:
    """A string of a bounded number of characters without control characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest or not value.isprintable():
            raise refuse(f"text of {shortest} to {longest} printable characters")
        return value

    return read


def octets(shortest: int, longest: int) -> Reader[bytes]:
    """Bytes in URL-safe base 64 without padding."""

    def read(value: Any) -> bytes:
        try:
            raw = from_text(value)
        except (ValueError, TypeError) as error:
            raise refuse("bytes in base 64") from error
        if not shortest <= len(raw) <= longest:
            raise refuse(f"{shortest} to {longest} bytes")
        return raw

    return read


def whole(lowest: int, highest: int) -> Reader[int]:
    """An integer within bounds; true and false are none."""

    def read(value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise refuse(f"a whole number from {lowest} to {highest}")
        return value

    return read


def real(lowest: float, highest: float) -> Reader[float]:
    """A finite number within bounds."""

    def read(value: Any) -> float:
        if type(value) not in (int, float) or not lowest <= value <= highest:
            raise refuse(f"a number from {lowest} to {highest}")
        return float(value)

    return read


def flag(value: Any) -> bool:
    """True or false, and nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise refuse("true or false")
    return value


def instant(value: Any) -> datetime:
    """A UTC instant with six decimals and a Z."""
    try:
        moment = datetime.fromisoformat(value)
        if plain(moment) == value:
            return moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise refuse(AN_INSTANT) from error
    raise refuse(AN_INSTANT)


def one_of(kind: type[E]) -> Reader[E]:
    """One of the members of an enumeration."""

    def read(value: Any) -> E:
        if not isinstance(value, str) or value not in list(kind):
            raise refuse(f"one of {', '.join(kind)}")
        return kind(value)

    return read


def maybe(reader: Reader[T]) -> Reader[T | None]:
    """The same, or null."""
    return lambda value: None if value is None else reader(value)


def many(reader: Reader[T], longest: int) -> Reader[tuple[T, ...]]:
    """A list of at most so many."""

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) > longest:
            raise refuse(f"a list of at most {longest}")
        return tuple(reader(item) for item in value)

    return read


def pair(first: Reader[Any], second: Reader[Any]) -> Reader[tuple[Any, Any]]:
    """A list of exactly two."""

    def read(value: Any) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise refuse("a pair")
        return first(value[0]), second(value[1])

    return read


def record(kind: type[T], /, **fields: Reader[Any]) -> Reader[T]:
    """A dataclass, with every field present and none unknown."""
    names = frozenset(fields)

    def read(value: Any) -> T:
        if not isinstance(value, Mapping) or value.keys() != names:
            raise refuse(f"the fields {', '.join(sorted(names))} and no other")
        return kind(**{name: reader(value[name]) for name, reader in fields.items()})

    return read


def plain(value: Any) -> Any:
    """What the readers read, as plain JSON values; `ValueError` for an instant without a zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("An instant needs a zone.")
        # `%Y` does not pad years before 1000 on every platform; isoformat does.
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names_of(type(value))}
    return value


@cache
def _names_of(kind: type[Any]) -> tuple[str, ...]:
    return tuple(part.name for part in dataclasses.fields(kind))
