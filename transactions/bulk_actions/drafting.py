"""Choosing the rows of a bulk action: counted, told, and not yet touched."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Case, CharField, Count, QuerySet, Sum, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.access import may
from merchant.models import Member
from transactions import selectors
from transactions.bulk_actions.acts import ACTS, Act
from transactions.bulk_actions.refusal import NotPossible
from transactions.bulk_actions.shown import Shown
from transactions.models import BulkAction, BulkItem, Transaction, TransactionAlias

#: More than this is narrowed first: nobody means it, and a draft must not take long.
MOST = 100_000
#: Milliseconds that entering so many may take on a busy machine.
PATIENCE = 20_000
#: So many are chosen by ticking; who wants more chooses a filter.
MOST_TICKED = 1_000
#: Drafts that nobody confirmed go after this long.
FORGOTTEN = timedelta(days=1)

State = BulkItem.State


def draft(member: Member, act: str, ids: Collection[UUID]) -> BulkAction:
    """A bulk action on these transactions, to be confirmed. Raises NotPossible."""
    if not ids:
        raise NotPossible(_("Choose at least one transaction."))
    if len(ids) > MOST_TICKED:
        raise NotPossible(
            _("At most %s can be ticked. Narrow the filter and select all that match.")
            % f"{MOST_TICKED:,}"
        )
    rows = selectors.visible_to(member).filter(pk__in=_survivors(ids))
    modes = set(rows.order_by().values_list("livemode", flat=True).distinct())
    if len(modes) > 1:
        raise NotPossible(_("Test and live transactions are never acted on together."))
    bulk = _new(member, act, livemode=modes != {False}, wanted=len(ids))
    return _enter(bulk, rows)


def draft_all(member: Member, act: str, shown: Shown) -> BulkAction:
    """One on all that matched a list as it was shown. Raises NotPossible.

    Rows that came or changed since are left out: nobody has seen them so.
    """
    asked = shown.filter_of(member)
    if asked.errors:
        raise NotPossible(
            _("The filter of this list cannot be used any more: %s")
            % next(iter(asked.errors.values()))
        )
    there = asked.rows.filter(pk__lte=shown.newest_id)
    same = there.filter(updated__lte=shown.at)
    number, more = shown.counted
    if more:
        # The page stopped counting, so it is counted here before anything is written.
        number = _at_most(same) + _at_most(there.filter(updated__gt=shown.at))
    bulk = _new(
        member,
        act,
        livemode=shown.livemode,
        wanted=number,
        query=shown.query,
        described=asked.described(),
        shown_at=shown.at,
    )
    return _enter(bulk, same)


def draft_reversal(member: Member, earlier: BulkAction) -> BulkAction:
    """One that takes back what an earlier one did. Raises NotPossible."""
    act = ACTS[earlier.act].undone_by
    if not act or earlier.finished is None:
        raise NotPossible(_("This cannot be undone in one go."))
    done = earlier.items.filter(state=State.DONE).values("transaction")
    rows = selectors.visible_to(member).filter(pk__in=done)
    bulk = _new(
        member, act, livemode=earlier.livemode, wanted=earlier.done, reverses=earlier
    )
    return _enter(bulk, rows)


def tidy() -> int:
    """Drops drafts that nobody confirmed; returns how many."""
    old = BulkAction.objects.filter(
        state=BulkAction.State.DRAFT, created__lt=timezone.now() - FORGOTTEN
    )
    ids = list(old.order_by("created").values_list("pk", flat=True)[:20])
    BulkAction.objects.filter(pk__in=ids, state=BulkAction.State.DRAFT).delete()
    return len(ids)


# ---------------------------------------------------------------------------- choosing
def _new(member: Member, act: str, **columns: Any) -> BulkAction:
    if act not in ACTS:
        raise NotPossible(_("Choose what is to be done."))
    if not may(member.role, ACTS[act].right):
        raise PermissionError(act)
    return BulkAction(
        merchant_id=member.merchant_id,
        member=member,
        actor_name=str(member.user)[:160],
        act=act,
        **columns,
    )


def _survivors(ids: Collection[UUID]) -> set[UUID]:
    """The ids, and what their transactions were joined to."""
    joined = TransactionAlias.objects.filter(pk__in=ids)
    return {*ids, *joined.values_list("transaction_id", flat=True)}


def _at_most(rows: QuerySet[Transaction]) -> int:
    number = rows.order_by()[: MOST + 1].count()
    if number > MOST:
        raise _too_many()
    return number


def _too_many() -> NotPossible:
    return NotPossible(
        _("More than %s match. Narrow the filter, by date for example.") % f"{MOST:,}"
    )


@transaction.atomic
def _enter(bulk: BulkAction, rows: QuerySet[Transaction]) -> BulkAction:
    _take_time()
    bulk.save()
    bulk.found = _enter_items(bulk, rows, ACTS[bulk.act])
    if bulk.found > MOST:
        raise _too_many()
    if not bulk.found:
        raise NotPossible(_("None of these is as it was. Load the list again."))
    if bulk.found > bulk.wanted:
        # A count told less than there is: something matches that was not shown.
        raise NotPossible(
            _("The list changed while it was shown. Load it again, then choose.")
        )
    bulk.forecast = _forecast(bulk)
    bulk.ready = sum(part["count"] for part in bulk.forecast if not part["reason"])
    bulk.save(update_fields=["found", "forecast", "ready"])
    return bulk


def _take_time() -> None:
    """A page's patience is for pages: this is asked for knowingly, and bounded."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE:d}")


def _enter_items(bulk: BulkAction, rows: QuerySet[Transaction], act: Act) -> int:
    """One statement, however many: each row as an item, waiting or why not."""
    assert bulk.member is not None
    whens = [
        When(condition, then=Value(words[:200]))
        for condition, words in act.obstacles(bulk, bulk.member.user)
    ]
    why = Case(*whens, default=Value(""), output_field=CharField())
    chosen = rows.order_by().annotate(why=why).values("id", "created", "why")
    try:
        sql, params = chosen[: MOST + 1].query.sql_with_params()
    except EmptyResultSet:
        return 0
    table = connection.ops.quote_name(BulkItem._meta.db_table)
    own = BulkAction._meta.pk.get_db_prep_value(bulk.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (bulk_id, transaction_id, state, reason, entry)"  # noqa: S608 - own names
            " SELECT %s, id, CASE WHEN why = '' THEN %s ELSE %s END, why, ''"
            f" FROM ({sql}) AS chosen ORDER BY created DESC, id DESC",
            [own, State.WAITING, State.SKIPPED, *params],
        )
        return int(cursor.rowcount)


def _forecast(bulk: BulkAction) -> list[dict[str, Any]]:
    """How many, of what sum, per currency and reason; "" is what can be acted on."""
    amount = ACTS[bulk.act].amount()
    parts = (
        BulkItem.objects.filter(bulk=bulk)
        .values("reason", "transaction__currency")
        .annotate(number=Count("pk"), amount=Sum(amount))
        .order_by()
    )
    found = [
        {
            "reason": part["reason"],
            "currency": part["transaction__currency"],
            "count": part["number"],
            "amount": int(part["amount"] or 0),
        }
        for part in parts
    ]
    return sorted(found, key=lambda part: (part["reason"], -part["count"]))
