"""What can be exported: each list of the product, read with the filter of its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.models import Member, Project
from merchant.selectors import held_projects
from merchant.templatetags.show import short_time
from transactions import selectors
from transactions.customer_list import CustomerFilter
from transactions.directory import Asked
from transactions.dispute_list import DisputeFilter
from transactions.filter_fields import FIELDS
from transactions.filter_values import Eyes
from transactions.filters import TransactionFilter
from transactions.models import BulkAction
from transactions.paging import NEWEST, Order
from transactions.payout_list import PayoutFilter
from transactions.refund_list import RefundFilter
from webhooks.list_filter import SINCE, UNTIL
from webhooks.record.delivery_filters import DeliveryFilter

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Mode = bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a query asks of a list.

    `strands`: the rows in parts that do not meet, `order` how they stand. `query` is
    its cleanest spelling without the mode, `described` the same in words. `shops`:
    whose rows they can be, `whole`: of every project there is.
    """

    strands: Sequence[QuerySet[Any]]
    order: Order = NEWEST
    query: str
    livemode: Mode
    described: str
    shops: Sequence[Project]
    whole: bool
    since: datetime | None = None
    until: datetime | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exported:
    """A list that can be exported.

    `tables`: the ways in which a file can tell it (keys of transactions.exports.table),
    the usual first. `right`: of merchant.access, what its page needs. `view`: the URL
    name of that page. `both_modes`: it shows test and live together while neither is
    asked for. `names`: what an API key may ask of it, none where it may not.
    """

    label: Any
    tables: tuple[str, ...]
    right: str
    view: str
    read: Callable[[Eyes, QueryDict, Mode], Wanted]
    both_modes: bool = False
    names: frozenset[str] = frozenset()


# ----------------------------------------------------------------------------- reading
def of_draft(member: Member, bulk: BulkAction) -> Wanted:
    """The rows of a bulk action's draft, of those that the member may see now."""
    rows = selectors.visible_to(member).filter(pk__in=bulk.items.values("transaction"))
    held = held_projects(member)
    return Wanted(
        strands=[rows],
        query=bulk.query,
        livemode=bulk.livemode,
        described=bulk.described or str(_("Chosen one by one")),
        shops=list(member.projects.all()),
        whole=not held,
    )


def _transactions(eyes: Eyes, query: QueryDict, livemode: Mode) -> Wanted:
    asked = TransactionFilter.of(eyes, query, livemode)
    return of_sales(eyes, asked, asked.strands)


def with_edges(
    asked: TransactionFilter,
    since: datetime | None,
    until: datetime | None,
    begin: StrOrPromise,
    end: StrOrPromise,
) -> str:
    """The filter in words, and between which times; the last two say it of each."""
    words = [] if asked.is_empty else [asked.described()]
    words += [str(begin % short_time(since))] if since else []
    words += [str(end % short_time(until))] if until else []
    return "; ".join(words) or "Everything"


def of_sales(
    eyes: Eyes, asked: TransactionFilter, strands: Sequence[QuerySet[Any]]
) -> Wanted:
    """Rows of the purchases that the filter shows."""
    named = bool(asked.typed("project"))
    held = isinstance(eyes, Member) and bool(held_projects(eyes))
    return Wanted(
        strands=strands,
        order=asked.order,
        query=urlencode(asked.pairs(without=("livemode",))),
        livemode=asked.livemode,
        described=asked.less("livemode").described(),
        shops=asked.scope.projects,
        whole=not (named or held or isinstance(eyes, Project)),
        since=asked.meaning("created[gte]") or asked.meaning("paid[gte]"),
        until=asked.meaning("created[lt]") or asked.meaning("paid[lt]"),
        errors=asked.errors,
    )


def _deliveries(eyes: Eyes, query: QueryDict, livemode: Mode) -> Wanted:
    if not isinstance(eyes, Member):
        raise TypeError("An API key exports transactions only.")
    told = query.copy()
    if livemode is not None:
        told["livemode"] = "true" if livemode else "false"
    asked = DeliveryFilter(told, eyes)
    errors = dict.fromkeys(["query"], next(iter(asked.errors_in_words), ""))
    since, until = (asked.form.cleaned_data.get(name) for name in (SINCE, UNTIL))
    # A time as it was typed is another one in another zone.
    moments = {
        name: when.isoformat()
        for name, when in ((SINCE, since), (UNTIL, until))
        if when
    }
    shops = list({e.project_id: e.project for e in asked.wanted_endpoints}.values())
    narrowed = shops or asked.chosen("project") or held_projects(eyes)
    return Wanted(
        strands=asked.strands,
        query=asked.query(but=["livemode"], **moments),
        livemode={"true": True, "false": False}.get(asked.typed("livemode")),
        described=_chips_in_words(asked),
        shops=shops or asked.wanted_shops,
        whole=not narrowed,
        since=since,
        until=until,
        errors={name: words for name, words in errors.items() if words},
    )


def _chips_in_words(asked: DeliveryFilter) -> str:
    """But for the mode, which a file says by itself."""
    mode = str(asked.form.fields["livemode"].label)
    words = (f"{c.label}: {c.value}" for c in asked.chips if c.label != mode)
    return "; ".join(words) or "Everything"


def _directory(form: type[Asked]) -> Callable[[Eyes, QueryDict, Mode], Wanted]:
    """The reader of a list that stands beside the transactions."""

    def read(eyes: Eyes, query: QueryDict, livemode: Mode) -> Wanted:
        is_key = isinstance(eyes, Project)
        # A page shows one mode, the API both until one is asked for.
        asked: Any = form(
            eyes, query, livemode=livemode if is_key else livemode is not False
        )
        return Wanted(
            strands=asked.strands,
            order=asked.order,
            query=urlencode(asked.pairs(without=("livemode",))),
            livemode=asked.livemode,
            described=_in_words(asked),
            shops=asked.shops,
            whole=not (
                isinstance(eyes, Project)
                or asked.meanings("project")
                or held_projects(eyes)
            ),
            since=asked.meaning("created[gte]"),
            until=asked.meaning("created[lt]"),
            errors=asked.errors,
        )

    return read


def _in_words(asked: Asked) -> str:
    words: dict[str, list[str]] = {}
    for given in asked.given:
        if given.name == "livemode":
            continue
        label = str(asked.fields[given.name].label)
        words.setdefault(label, []).append(str(asked.shown(given)))
    parts = (f"{label}: {', '.join(shown)}" for label, shown in words.items())
    return "; ".join(parts) or "Everything"


LISTS: dict[str, Exported] = {
    "transactions": Exported(
        _("Transactions"),
        ("transactions", "items", "balance"),
        "view_transactions",
        "transactions:list",
        _transactions,
        names=frozenset(FIELDS),
    ),
    "refunds": Exported(
        _("Refunds"),
        ("refunds",),
        "view_transactions",
        "transactions:refunds",
        _directory(RefundFilter),
        names=frozenset(RefundFilter.fields),
    ),
    "disputes": Exported(
        _("Disputes"),
        ("disputes",),
        "view_transactions",
        "transactions:disputes",
        _directory(DisputeFilter),
        names=frozenset(DisputeFilter.fields),
    ),
    "payouts": Exported(
        _("Payouts"),
        ("payouts",),
        "view_transactions",
        "transactions:payouts",
        _directory(PayoutFilter),
        names=frozenset(PayoutFilter.fields),
    ),
    "customers": Exported(
        _("Customers"),
        ("customers",),
        "view_customers",
        "transactions:customers",
        _directory(CustomerFilter),
    ),
    "deliveries": Exported(
        _("Deliveries"),
        ("deliveries",),
        "view_deliveries",
        "webhooks:deliveries",
        _deliveries,
        both_modes=True,
    ),
}
