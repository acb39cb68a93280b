"""Hostile requests for every route, made from what the server itself says that it takes."""

from collections.abc import Iterator
from typing import Any

JUNK: tuple[Any, ...] = (
    None,
    -1,
    0,
    10**30,
    1e308,
    True,
    "",
    "\x00",
    "\ud800",
    "x" * 100_000,
    "../../etc/passwd",
    "'; DROP TABLE people_persons; --",
    "\u202e\u200f\ufffe\u03a9\u2248\u221a\ufdfa",
    "2030-01-01T00:00:00",
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59",
    [],
    {},
    [[[[[]]]]],
)
IN_A_URL = (
    "%00",
    "%ff%fe",
    "..%2f..%2fetc",
    "%F0%9F%9A%AA",
    "x" * 5000,
    "%ED%A0%80",
    "-1",
    "9" * 30,
    "%0d%0aX:y",
)
DEEPEST = 5
PLAIN = {
    "integer": 1,
    "number": 0.5,
    "boolean": True,
    "date": "2031-01-01",
    "date-time": "2031-01-01T00:00:00+00:00",
}
BODIES = (
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b'"text"',
    b"1e999",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"a": NaN}',
    b"PK\x03\x04" + bytes(1000),
)


def filled(path: str, value: str = "thing_x", *, site: str) -> str:
    """The path with its parameters filled in."""
    parts = path.split("/")
    return "/".join(
        (site if part == "{site_id}" else value) if part.startswith("{") else part for part in parts
    )


def shapes(schema: dict[str, Any], wanted: dict[str, Any], depth: int = 0) -> Any:
    """A plausible value of a JSON schema."""
    while several := wanted.keys() & {"$ref", "anyOf", "oneOf", "allOf"}:
        chosen = wanted[several.pop()]
        known = schema["components"]["schemas"]
        wanted = known[chosen.rsplit("/", 1)[-1]] if isinstance(chosen, str) else chosen[0]
    inner = wanted.get("properties", {}) if depth < DEEPEST else {}
    match wanted.get("type"):
        case "object":
            return {name: shapes(schema, one, depth + 1) for name, one in inner.items()}
        case "array":
            return [shapes(schema, wanted.get("items", {}), depth + 1)] * max(1, wanted.get("minItems", 1))
        case kind:
            usual = PLAIN.get(str(wanted.get("format") or kind), "thing_x")
            return wanted.get("const", wanted.get("enum", [usual])[0])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something could be replaced inside a value."""
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in steps:
        yield from places(inner, (*path, name))


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """The same value with junk in one place."""
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], junk)
    return copy
