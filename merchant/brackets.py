"""Names with brackets in queries and forms: `status[]`, `status[0]`, `created[gte]`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

#: The end of a name that only says "one of a list", and where in it.
_PLACE = re.compile(r"\[(\d{0,4})\]$", re.ASCII)
#: A name with the keys of an object in it: "metadata[order]", "filters[created][gte]".
_KEYED = re.compile(r"[^\[\]]+(\[[^\[\]]+\]){1,2}", re.ASCII)
_KEY = re.compile(r"[^\[\]]+")


def gather(lists: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """name -> values, whichever way lists were spelled; takes QueryDict.lists().

    `a=1&a=2`, `a[]=1&a[]=2` and `a[1]=2&a[0]=1` are the same; `created[gte]` keeps its
    name.
    """
    placed: dict[str, list[tuple[int, str]]] = {}
    for spelled, values in lists:
        found = _PLACE.search(spelled)
        name = spelled[: found.start()] if found else spelled
        place = int(found[1]) if found and found[1] else 0
        placed.setdefault(name, []).extend((place, value) for value in values)
    return {
        name: [value for _, value in sorted(values, key=lambda pair: pair[0])]
        for name, values in placed.items()
    }


def nest(lists: Iterable[tuple[str, list[str]]]) -> dict[str, Any]:
    """A form as the JSON object that it stands for; takes QueryDict.lists().

    `a[]=1&a[]=2` is {"a": ["1", "2"]}, `b=1` {"b": "1"}, `m[x]=1` {"m": {"x": "1"}},
    `m[x][y]=1` {"m": {"x": {"y": "1"}}}. A name that comes both plain and with keys is
    an object where the keys are.
    """
    spelled = [(name, list(values)) for name, values in lists]
    listed = {name[: name.rindex("[")] for name, _ in spelled if _PLACE.search(name)}
    found: dict[str, Any] = {}
    for name, values in gather(spelled).items():
        value = values if name in listed or len(values) != 1 else values[0]
        if not _KEYED.fullmatch(name):
            found.setdefault(name, value)
            continue
        *outer, last = _KEY.findall(name)
        inner = found
        for key in outer:
            if not isinstance(inner.get(key), dict):
                inner[key] = {}
            inner = inner[key]
        inner[last] = value
    return found
