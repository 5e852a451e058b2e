"""What every page needs around its content: menu, projects, mode, theme, banner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from merchant.access import may
from merchant.models import Member, Project
from merchant.selectors import projects_of

THEMES = (
    ("auto", _("Auto"), "computer-desktop"),
    ("light", _("Light"), "sun"),
    ("dark", _("Dark"), "moon"),
)

#: Lists that the switches of the top bar narrow where they stand.
LISTS = (
    "transactions:list",
    "transactions:queue",
    "webhooks:inbox",
    "webhooks:events",
    "webhooks:deliveries",
    "webhooks:endpoints",
    "transactions:home",
    "transactions:customers",
    "transactions:products",
    "transactions:refunds",
    "transactions:disputes",
    "transactions:payouts",
)
#: Pages of one thing with a list on it: test and live switch there, but not projects.
OWN_LISTS = ("transactions:customer", "transactions:product")
#: Where everybody begins.
HOME = "transactions:home"
#: What points into a list and means nothing in another one.
CURSORS = ("after", "before")


class Entry(NamedTuple):
    """A line of the menu: pages appear when they work, for who may see them."""

    label: Any
    view: str
    icon: str
    key: str  # g and this letter go there
    action: str


MENU: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry(_("Home"), HOME, "home", "h", "view_transactions"),
            Entry(
                _("Transactions"),
                "transactions:list",
                "credit-card",
                "t",
                "view_transactions",
            ),
            Entry(
                _("Fulfilment"),
                "transactions:queue",
                "archive-box",
                "f",
                "view_transactions",
            ),
            Entry(
                _("Refunds"),
                "transactions:refunds",
                "arrow-uturn-left",
                "r",
                "view_transactions",
            ),
            Entry(
                _("Disputes"),
                "transactions:disputes",
                "shield-exclamation",
                "b",
                "view_transactions",
            ),
            Entry(
                _("Payouts"),
                "transactions:payouts",
                "banknotes",
                "m",
                "view_transactions",
            ),
            Entry(
                _("Customers"), "transactions:customers", "users", "c", "view_customers"
            ),
            Entry(
                _("Products"), "transactions:products", "cube", "p", "view_transactions"
            ),
            Entry(
                _("Exports"),
                "transactions:exports",
                "arrow-down-tray",
                "x",
                "export",
            ),
        ),
    ),
    (
        _("Developers"),
        (
            Entry(_("Events"), "webhooks:events", "bolt", "e", "view_deliveries"),
            Entry(
                _("Webhook endpoints"),
                "webhooks:endpoints",
                "paper-airplane",
                "w",
                "manage_endpoints",
            ),
            Entry(
                _("Deliveries"),
                "webhooks:deliveries",
                "queue-list",
                "d",
                "view_deliveries",
            ),
            Entry(
                _("Inbound events"),
                "webhooks:inbox",
                "inbox-arrow-down",
                "i",
                "view_inbound",
            ),
        ),
    ),
    (
        _("Settings"),
        (
            Entry(
                _("Projects"),
                "projects",
                "building-storefront",
                "s",
                "manage_projects",
            ),
            Entry(
                _("Connections"),
                "webhooks:connections",
                "link",
                "o",
                "manage_connections",
            ),
        ),
    ),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context of base.html. Touches the database only where a member looks."""
    member: Member | None = getattr(request, "member", None)
    theme = theme_of(request)
    context: dict[str, Any] = {
        "member": member,
        "theme": theme,
        "themes": [
            {"key": key, "label": label, "icon": icon, "pressed": _yes(key == theme)}
            for key, label, icon in THEMES
        ],
        "shortcuts": "off" if request.COOKIES.get("shortcuts") == "off" else "on",
        "private_endpoints": settings.ALLOW_PRIVATE_ENDPOINTS,
    }
    if member is not None:
        # Asked for once, and only by pages that draw the top bar.
        shops: Any = SimpleLazyObject(lambda: list(projects_of(member)))
        context |= {
            "memberships": request.memberships,  # type: ignore[attr-defined]
            "menu": list(_menu(request, member)),
            "projects": shops,
            "project_choices": SimpleLazyObject(lambda: _choices(request, shops)),
            "project_words": SimpleLazyObject(lambda: _project_words(request, shops)),
            "live_url": _switched(request, livemode="true"),
            "test_url": _switched(request, livemode="false"),
            "mode": MODES.get(request.GET.get("livemode", ""), ""),
        }
    return context


MODES = {"true": "live", "false": "test"}


def theme_of(request: HttpRequest) -> str:
    """The profile's theme, else the cookie's: written by the server, so no flash."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return user.theme
    return remembered_theme(request)


def remembered_theme(request: HttpRequest) -> str:
    """The theme of this browser, for pages that know nobody."""
    cookie = request.COOKIES.get("theme", "auto")
    return cookie if cookie in {key for key, *_more in THEMES} else "auto"


def _menu(request: HttpRequest, member: Member) -> Iterator[dict[str, Any]]:
    match = getattr(request, "resolver_match", None)
    here = match.view_name if match else ""
    above = _above(here, request.path)
    for title, entries in MENU:
        shown = [
            {
                "label": entry.label,
                "url": reverse(entry.view),
                "icon": entry.icon,
                "key": entry.key,
                "current": _current(entry.view, here, above),
            }
            for entry in entries
            if may(member.role, entry.action)
        ]
        if shown:
            yield {"title": title, "entries": shown}


def _current(view: str, here: str, above: str) -> str:
    """ "page" on the page itself, "true" on the pages below it."""
    if here == view:
        return "page"
    return "true" if view == above else ""


def _above(here: str, path: str) -> str:
    """The page of the menu below which this one stands: the customers for a customer,
    else the first one of the same part of the house."""
    # Nothing stands below Home, though it comes first and its address begins all.
    views = [entry.view for _title, entries in MENU for entry in entries]
    pages = [view for view in views if view != HOME]
    if not here or here in views:
        return ""
    part = here.split(":")[0]
    around = [view for view in pages if path.startswith(reverse(view))]
    named = [v for v in pages if v.startswith(here) or here.startswith(v.rstrip("s"))]
    beside = [view for view in pages if view.split(":")[0] == part]
    return next(iter(around + named + beside), "")


def _switched(request: HttpRequest, **change: str) -> str:
    """This list with a parameter changed ("" takes it away), or the main list."""
    match = getattr(request, "resolver_match", None)
    here = match.view_name if match else ""
    stays = here in LISTS or (here in OWN_LISTS and "project" not in change)
    query = request.GET.copy() if stays else QueryDict(mutable=True)
    for name in (*CURSORS, *change):
        query.pop(name, None)
    pairs = [(name, text) for name, texts in query.lists() for text in texts if text]
    pairs += [(name, text) for name, text in change.items() if text]
    path = request.path if stays else reverse(LISTS[0])
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _chosen(request: HttpRequest, shops: list[Project]) -> set[str]:
    asked = {p for text in request.GET.getlist("project") for p in text.split(",")}
    return {p.slug for p in shops if asked & {p.slug, str(p.pk)}}


def _choices(request: HttpRequest, shops: list[Project]) -> list[dict[str, Any]]:
    chosen = _chosen(request, shops)
    everything = {
        "label": _("All projects"),
        "url": _switched(request, project=""),
        "current": not chosen,
    }
    return [
        everything,
        *(
            {
                "label": project.name,
                "url": _switched(request, project=project.slug),
                "current": project.slug in chosen,
            }
            for project in shops
        ),
    ]


def _project_words(request: HttpRequest, shops: list[Project]) -> str:
    chosen = _chosen(request, shops)
    if len(chosen) == 1:
        return next(p.name for p in shops if p.slug in chosen)
    return _("%d projects") % len(chosen) if chosen else ""


def _yes(value: bool) -> str:
    return "true" if value else "false"
