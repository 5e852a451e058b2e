"""Names with brackets in queries and forms: `status[]`, `status[0]`, `created[gte]`."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: The end of a name that only says "one of a list", and where in it.
_PLACE = re.compile(r"\[(\d{0,4})\]$", re.ASCII)


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
