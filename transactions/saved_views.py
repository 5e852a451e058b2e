"""Views of the list that members keep: name, save, share, one to start with.

A view is a filter under a name. Only its member changes it; a shared one is seen by
everybody of the merchant, each through their own eyes: it never shows more rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.access import may
from merchant.models import Member
from transactions import layouts, spans
from transactions.filters import TransactionFilter
from transactions.models import ListLayout, SavedView

MOST = 50
LONGEST_NAME = 60
LONGEST_QUERY = 4000
#: Looks the same whether live or test payments are shown: that is the page's switch.
NO_PART = ("livemode",)

_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f]")


class NotSaved(ValueError):
    """It cannot be kept like that; `str()` is a sentence, maybe `about_name`."""

    def __init__(self, words: str, *, about_name: bool = False) -> None:
        super().__init__(words)
        self.about_name = about_name


# --------------------------------------------------------------------------- looking
def visible_to(member: Member) -> QuerySet[SavedView]:
    """The member's own views and those that others of the merchant share."""
    views = SavedView.objects.filter(merchant_id=member.merchant_id)
    return views.filter(Q(member=member) | Q(shared=True))


def named(member: Member, id: object) -> SavedView | None:
    """The view of that id, where the member may see it."""
    try:
        wanted = UUID(str(id))
    except ValueError:
        return None
    return visible_to(member).filter(pk=wanted).first()


def query_of(asked: TransactionFilter) -> str:
    """What a list asks, as a view keeps it: in one spelling, without test or live."""
    return urlencode(asked.pairs(without=NO_PART))


def same(one: str, other: str) -> bool:
    """Whether two queries ask the same, in whatever order."""
    return sorted(parse_qsl(one)) == sorted(parse_qsl(other))


def landing(member: Member) -> str | None:
    """The query of the view that the member starts with, None without one.

    One that is not shared with them any more is passed over.
    """
    view = layouts.of(member).view
    if view is None or view.merchant_id != member.merchant_id:
        return None
    if view.member_id != member.pk and not view.shared:
        return None
    return query_with(view)


def query_now(view: SavedView) -> str:
    """What the view asks today, in the member's time zone: its spans as days."""
    return urlencode(spans.as_of(parse_qsl(view.query), timezone.localdate()))


def query_with(view: SavedView) -> str:
    """The list's query that shows this view and says so."""
    return urlencode([("view", str(view.pk)), *parse_qsl(query_now(view))])


def moving(query: str) -> list[tuple[str, str]]:
    """Of a list's query, the days that could move along: (Created, 7 days)."""
    return spans.words(spans.named(parse_qsl(query), timezone.localdate()))


# ---------------------------------------------------------------------------- keeping
def save(
    member: Member,
    *,
    name: str,
    asked: TransactionFilter,
    shared: bool = False,
    default: bool = False,
    moves: bool = False,
) -> SavedView:
    """Keeps what a list asks as a new view of the member. Raises NotSaved.

    `moves`: days that are a span as of today, such as the last 7, stay that span.
    """
    _must_be_allowed(member, shared)
    query = _kept_query(asked, spans.ROOTS if moves else ())
    with transaction.atomic():
        _lock(member)
        if member.saved_views.count() >= MOST:
            raise NotSaved(
                _("You have %d views, and that is the most. Delete one first.") % MOST
            )
        view = SavedView.objects.create(
            merchant_id=member.merchant_id,
            member=member,
            name=_free_name(member, name),
            query=query,
            shared=shared,
        )
        if default:
            layouts.make_default(member, view)
    return view


def rename(view: SavedView, name: str) -> None:
    """Raises NotSaved."""
    with transaction.atomic():
        _lock(view.member)
        view.name = _free_name(view.member, name, but=view)
        view.save(update_fields=["name"])


def change(view: SavedView, asked: TransactionFilter) -> None:
    """From now on the view asks this; days that were fixed stay so. Raises NotSaved."""
    fixed = {name.partition("[")[0] for name, _text in parse_qsl(view.query)}
    fixed -= {name for name, _text in parse_qsl(view.query)}
    view.query = _kept_query(asked, [root for root in spans.ROOTS if root not in fixed])
    view.save(update_fields=["query"])


def share(view: SavedView, *, shared: bool) -> None:
    """With everybody of the merchant, or with nobody any more. Raises NotSaved.

    Who started with it and cannot see it any more starts with the whole list.
    """
    _must_be_allowed(view.member, shared)
    view.shared = shared
    view.save(update_fields=["shared"])
    if not shared:
        others = ListLayout.objects.filter(view=view).exclude(member=view.member_id)
        others.update(view=None)


def delete(view: SavedView) -> None:
    """Who started with it starts with the whole list again."""
    view.delete()


# ----------------------------------------------------------------------------- rules
def _lock(member: Member) -> None:
    """Two saves at once must not both find the name free, or room for one more."""
    Member.objects.select_for_update().get(pk=member.pk)


def _must_be_allowed(member: Member, shared: bool) -> None:
    if shared and not may(member.role, "share_views"):
        raise NotSaved(_("Your role keeps views for itself and cannot share them."))


def _free_name(member: Member, name: str, but: SavedView | None = None) -> str:
    """The name as it is kept. Raises NotSaved where it is none, or taken."""
    clean = " ".join(_NOT_TEXT.sub(" ", name).split())
    if not clean:
        raise NotSaved(_("Give the view a name."), about_name=True)
    if len(clean) > LONGEST_NAME:
        words = _("A name has at most %d characters.") % LONGEST_NAME
        raise NotSaved(words, about_name=True)
    taken = member.saved_views.filter(name__iexact=clean)
    if any(view.pk != getattr(but, "pk", None) for view in taken):
        words = _("You have a view of that name already. Choose another.")
        raise NotSaved(words, about_name=True)
    return clean


def _kept_query(asked: TransactionFilter, moving_roots: Iterable[str]) -> str:
    if asked.errors:
        raise NotSaved(_("This filter cannot be read, so it cannot be kept."))
    pairs = asked.pairs(without=NO_PART)
    query = urlencode(spans.named(pairs, timezone.localdate(), moving_roots))
    if len(query) > LONGEST_QUERY:
        raise NotSaved(_("This filter is too long to keep. Take some of it away."))
    return query
