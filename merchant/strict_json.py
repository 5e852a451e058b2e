"""JSON as a provider should send it: one reading, no surprises, bounded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

MOST_DEPTH = 32
MOST_NODES = 10_000
MOST_TEXT = 64 * 1024
MOST_DIGITS = 40


class NotStrict(ValueError):
    """The bytes are no JSON that two readers must understand alike; says why."""


def parse(body: bytes, *, most_nodes: int = MOST_NODES) -> Any:
    """The value; floats as Decimal. Raises NotStrict.

    Refused: other encodings than UTF-8, a byte order mark, duplicate keys, NaN and
    Infinity, numbers of more than 40 characters, texts over 64 KiB, more than 32
    levels or `most_nodes` values.
    """
    if body.startswith(b"\xef\xbb\xbf"):
        raise NotStrict("it starts with a byte order mark")
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise NotStrict("it is not UTF-8") from None
    except RecursionError:
        raise NotStrict(f"it is nested deeper than {MOST_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise NotStrict(f"it does not parse: {error.msg}, byte {error.pos}") from None
    if not _is_small(body, most_nodes):
        _measure(value, most_nodes)
    return value


def _is_small(body: bytes, most_nodes: int) -> bool:
    """Whether there is no room in it for too much of anything: nearly always, and
    walking through the values takes as long as the parsing. A value and what parts it
    from the next take two bytes, a level takes a bracket."""
    brackets = body.count(b"{") + body.count(b"[")
    return len(body) < min(2 * most_nodes, MOST_TEXT) and brackets <= MOST_DEPTH


def _measure(value: Any, most_nodes: int) -> None:
    """Walks the value level by level, so that depth costs no stack."""
    level, nodes = [value], 0
    for _ in range(MOST_DEPTH + 1):
        below: list[Any] = []
        nodes += len(level)
        if nodes > most_nodes:
            raise NotStrict(f"it has more than {most_nodes} values")
        for item in level:
            if type(item) is str:
                if len(item) > MOST_TEXT:
                    raise NotStrict("one of its texts is longer than 64 KiB")
            elif type(item) is dict:
                if max(map(len, item), default=0) > MOST_TEXT:
                    raise NotStrict("one of its keys is longer than 64 KiB")
                below.extend(item.values())
            elif type(item) is list:
                below.extend(item)
        if not below:
            return
        level = below
    raise NotStrict(f"it is nested deeper than {MOST_DEPTH} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrict("an object names a key twice")
    return found


def _short(token: str) -> str:
    if len(token) > MOST_DIGITS:
        raise NotStrict("a number is longer than 40 characters")
    return token


def _constant(token: str) -> NoReturn:
    raise NotStrict(f"{token} is no JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=lambda token: Decimal(_short(token)),
    parse_int=lambda token: int(_short(token)),
    parse_constant=_constant,
)
