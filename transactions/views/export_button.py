"""The button of a list that exports what it shows."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from merchant.access import may
from merchant.models import Member


def address(
    member: Member, listing: str, pairs: list[tuple[str, str]], livemode: bool | None
) -> str:
    """Where the dialog for this list with this query is; "" for who may not export."""
    if not may(member.role, "export"):
        return ""
    query = [pair for pair in pairs if pair[0] not in ("livemode", "view")]
    if livemode is not None:
        query.append(("livemode", "true" if livemode else "false"))
    asked = urlencode(query)
    told = urlencode({"listing": listing, "query": asked})
    return f"{reverse('transactions:export_new')}?{told}"
