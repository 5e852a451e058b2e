"""The saved views over the list: which is shown, and whether it has been changed.

The state lives in the URL alone: `view` names the view that was begun with, the rest
of the query is what is shown. `view=all` is the whole list, for who starts elsewhere.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.urls import reverse

from merchant.access import may
from merchant.models import Member
from transactions import layouts, saved_views
from transactions.filter_values import as_uuid
from transactions.filters import TransactionFilter
from transactions.models import SavedView

PARAM, ALL = "view", "all"
#: More tabs than this stand in a menu, but for the one that is looked at.
MOST_TABS = 5


def context(
    member: Member, asked: TransactionFilter, asked_view: str
) -> dict[str, Any]:
    """What `_views.html` draws; `asked_view`: what the URL says of it. One query."""
    views = saved_views.visible_to(member).select_related("member__user")
    tabs = [_tab(member, asked, view, asked_view) for view in views]
    current = next((tab for tab in tabs if tab["current"]), None)
    query = saved_views.query_of(asked)
    changed = current is not None and not saved_views.same(current["query"], query)
    shown, others = _in_view(tabs)
    return {
        "tabs": shown,
        "others": others,
        "current": current,
        "changed": changed and not asked.errors,
        "whole_url": address(asked, _whole(member), ""),
        "livemode": (asked.typed("livemode") or [""])[0],
        "query": query,
        "moving": saved_views.moving(query),
        "may_save": not asked.errors and (changed if current else bool(query)),
        "may_share": may(member.role, "share_views"),
    }


def along(member: Member, asked_view: str = "") -> tuple[tuple[str, str], ...]:
    """What the list's links carry along: the view that was begun with, if any.

    Who starts with a view says so of the whole list too, else the bare address would
    lead back into that view.
    """
    known = as_uuid(asked_view) is not None or asked_view == ALL
    said = asked_view if known else _whole(member)
    return ((PARAM, said),) if said else ()


def _whole(member: Member) -> str:
    return ALL if layouts.of(member).view_id else ""


def _tab(
    member: Member, asked: TransactionFilter, view: SavedView, asked_view: str
) -> dict[str, Any]:
    own = view.member_id == member.pk
    query = saved_views.query_now(view)
    return {
        "id": view.pk,
        "name": view.name,
        "query": query,
        "url": address(asked, str(view.pk), query),
        "current": str(view.pk) == asked_view,
        "own": own,
        "shared": view.shared,
        "by": "" if own else str(view.member.user),
    }


def _in_view(
    tabs: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The tabs that are shown, own ones first, and those in the menu."""
    own_first = sorted(tabs, key=lambda tab: not tab["own"])
    shown, others = own_first[:MOST_TABS], own_first[MOST_TABS:]
    shown += [tab for tab in others if tab["current"]]
    return shown, [tab for tab in others if not tab["current"]]


def address(asked: TransactionFilter, view: str, query: str) -> str:
    """The list with a view; what is looked at, test or live, stays."""
    pairs = [(PARAM, view)] if view else []
    pairs += parse_qsl(query)
    pairs += [("livemode", text) for text in asked.typed("livemode")]
    path = reverse("transactions:list")
    return f"{path}?{urlencode(pairs)}" if pairs else path
