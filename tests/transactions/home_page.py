"""Reading Home as a person does: its words, its figures, and where they lead."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict

from merchant.models import Member
from transactions.models import Transaction
from transactions.views import listing


def text_of(response: HttpResponse) -> str:
    main = response.content.decode().split("<main", 1)[1].split("</main>", 1)[0]
    bare = re.sub(r"<svg.*?</svg>(?!\s*<g)", " ", main, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def tile_of(response: HttpResponse, label: str) -> tuple[str, str]:
    """(figure, address) of a tile."""
    tiles = {tile.label: tile for tile in response.context["tiles"]}
    return tiles[label].value, tiles[label].url


def rows_at(member: Member, url: str) -> QuerySet[Transaction]:
    """The rows of the list at an address."""
    query = QueryDict(urlsplit(url).query)
    asked = listing.asked_by(member, query)
    assert not asked.errors
    return asked.rows
