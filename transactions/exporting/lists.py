"""What can be exported: each list of the product, read with the filter of its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.models import Member, Project
from merchant.providers import PROVIDERS
from merchant.selectors import held_projects
from merchant.templatetags.show import short_time
from transactions import filter_values as values
from transactions import selectors
from transactions.customer_list import CustomerFilter
from transactions.directory import COMMON, Asked, Field
from transactions.filters import TransactionFilter
from transactions.models import BulkAction, Dispute, Payout
from transactions.paging import NEWEST, Order
from transactions.refund_list import STATES, RefundFilter
from transactions.statuses import PayoutStatus
from webhooks.list_filter import SINCE, UNTIL
from webhooks.record.delivery_filters import DeliveryFilter

#: Through whose eyes rows are seen: a member's, or those of a project's API key.
Eyes = Member | Project
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
    name of that page, "" where there is none: then the dialog asks for the dates.
    `both_modes`: its page shows test and live together while neither is asked for.
    """

    label: Any
    tables: tuple[str, ...]
    right: str
    view: str
    read: Callable[[Eyes, QueryDict, Mode], Wanted]
    both_modes: bool = False


class PayoutFilter(Asked):
    """Of the payouts of the member's projects, those of one mode and time."""

    fields: ClassVar[Mapping[str, Field]] = {
        **{name: COMMON[name] for name in ("project", "livemode")},
        "provider": Field(
            _("Provider"),
            values.one_of(list(PROVIDERS)),
            lambda name: PROVIDERS[name].name,
            True,
        ),
        "status": Field(
            _("Status"),
            values.one_of(list(PayoutStatus.values)),
            lambda word: PayoutStatus(word).label,
            True,
        ),
        "created[gte]": Field(_("Created from"), values.moment, short_time),
        "created[lt]": Field(_("Created before"), values.moment, short_time),
    }

    @property
    def strands(self) -> list[QuerySet[Payout]]:
        if self.errors:
            return []
        rows = Payout.objects.filter(project__in=self.shops, livemode=self.livemode)
        for name, lookup in {
            "provider": "provider__in",
            "status": "status__in",
        }.items():
            if wanted := self.meanings(name):
                rows = rows.filter(**{lookup: wanted})
        if since := self.meaning("created[gte]"):
            rows = rows.filter(created__gte=since)
        if until := self.meaning("created[lt]"):
            rows = rows.filter(created__lt=until)
        return [rows]


# ----------------------------------------------------------------------------- reading
def sales_of(eyes: Eyes, query: QueryDict, livemode: Mode) -> TransactionFilter:
    """The filter of the list of transactions, through these eyes."""
    if isinstance(eyes, Member):
        return TransactionFilter.of_member(eyes, query, livemode=livemode)
    return TransactionFilter.of_project(eyes, query)


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
    asked = sales_of(eyes, query, livemode)
    return _of_sales(eyes, asked, asked.strands)


def _disputes(eyes: Eyes, query: QueryDict, livemode: Mode) -> Wanted:
    """Those of the purchases that the filter shows; `created` is the dispute's own."""
    rest = query.copy()
    typed = {name: "".join(rest.pop(name, [])[-1:]) for name in _EDGES}
    asked = sales_of(eyes, rest, livemode)
    errors = dict(asked.errors)
    edges: dict[str, datetime] = {}
    for name, text in typed.items():
        try:
            if text:
                edges[name] = values.moment(text, asked.scope)
        except ValueError as error:
            errors[name] = f"{name} {error}."
    rows = Dispute.objects.filter(transaction__in=asked.rows.order_by().values("pk"))
    rows = rows.filter(**{_EDGES[name]: when for name, when in edges.items()})
    since, until = (edges.get(name) for name in _EDGES)
    kept = [(name, text) for name, text in typed.items() if text]
    return replace(
        _of_sales(eyes, asked, [rows]),
        query=urlencode([*asked.pairs(without=("livemode", "sort")), *kept]),
        described=_with_edges(asked.less("livemode"), since, until),
        since=since,
        until=until,
        errors=errors,
    )


#: Names of a query -> what they ask of a dispute.
_EDGES = {"created[gte]": "created__gte", "created[lt]": "created__lt"}


def _with_edges(
    asked: TransactionFilter, since: datetime | None, until: datetime | None
) -> str:
    words = [] if asked.is_empty else [asked.described()]
    words += [str(_("Opened from: %s") % short_time(since))] if since else []
    words += [str(_("Opened before: %s") % short_time(until))] if until else []
    return "; ".join(words) or "Everything"


def _of_sales(
    eyes: Eyes, asked: TransactionFilter, strands: Sequence[QuerySet[Any]]
) -> Wanted:
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


def _directory(
    form: Callable[..., Any],
) -> Callable[[Eyes, QueryDict, Mode], Wanted]:
    """The reader of a list that only members have."""

    def read(eyes: Eyes, query: QueryDict, livemode: Mode) -> Wanted:
        if not isinstance(eyes, Member):
            raise TypeError("An API key exports transactions only.")
        asked = form(eyes, query, livemode=livemode is not False)
        return Wanted(
            strands=asked.strands,
            order=getattr(asked, "order", NEWEST),
            query=urlencode(asked.pairs(without=("livemode",))),
            livemode=asked.livemode,
            described=_in_words(asked),
            shops=asked.shops,
            whole=not (asked.meanings("project") or held_projects(eyes)),
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
        show = asked.fields[given.name].show
        shown = given.typed if show is None else str(show(given.meaning))
        if given.name == "state":
            shown = str(STATES[given.meaning][0])
        label = str(asked.fields[given.name].label)
        words.setdefault(label, []).append(shown)
    parts = (f"{label}: {', '.join(shown)}" for label, shown in words.items())
    return "; ".join(parts) or "Everything"


LISTS: dict[str, Exported] = {
    "transactions": Exported(
        _("Transactions"),
        ("transactions", "items", "balance"),
        "view_transactions",
        "transactions:list",
        _transactions,
    ),
    "refunds": Exported(
        _("Refunds"),
        ("refunds",),
        "view_transactions",
        "transactions:refunds",
        _directory(RefundFilter),
    ),
    "disputes": Exported(
        _("Disputes"), ("disputes",), "view_transactions", "", _disputes
    ),
    "payouts": Exported(
        _("Payouts"), ("payouts",), "view_transactions", "", _directory(PayoutFilter)
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
