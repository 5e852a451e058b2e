"""Names with brackets in queries and forms: `status[]`, `status[0]`, `created[gte]`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

#: The end of a name that only says "one of a list", and where in it.
_PLACE = re.compile(r"\[(\d{0,4})\]$", re.ASCII)
#: A name with the key of an object in it: "metadata[order]".
_KEYED = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]", re.ASCII)


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

    `a[]=1&a[]=2` is {"a": ["1", "2"]}, `m[x]=1` is {"m": {"x": "1"}}, `b=1` {"b": "1"}.
    A name that comes both plain and with keys is an object where the keys are.
    """
    spelled = [(name, list(values)) for name, values in lists]
    listed = {name[: name.rindex("[")] for name, _ in spelled if _PLACE.search(name)}
    found: dict[str, Any] = {}
    for name, values in gather(spelled).items():
        keyed = _KEYED.fullmatch(name)
        value = values if name in listed or len(values) != 1 else values[0]
        if keyed is None:
            found.setdefault(name, value)
        elif isinstance(inner := found.get(keyed[1]), dict):
            inner[keyed[2]] = value
        else:
            found[keyed[1]] = {keyed[2]: value}
    return found
