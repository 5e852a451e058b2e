"""What the card shows about handing over, and what the forms there say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from merchant.access import may as role_may
from merchant.models import Member
from transactions import acceptance, acts, fulfilment
from transactions.fold.fulfilment import WHOLE
from transactions.models import LineItem, TimelineEntry, Transaction
from transactions.statuses import Act, FulfilmentStatus

TOPICS = ("fulfilment", "acceptance")


class ActForm(forms.Form):
    """What may come along with an act: on which line, and the person's own words."""

    item = forms.CharField(required=False, max_length=120, strip=False)
    of = forms.CharField(required=False, max_length=64)
    reference = forms.CharField(
        required=False, max_length=acts.REFERENCE, label=_("Reference")
    )
    note = forms.CharField(required=False, max_length=acts.NOTE, label=_("Note"))

    @property
    def sentence(self) -> str:
        """What is wrong, in one sentence; "" where nothing is."""
        for name, found in self.errors.items():
            label = self.fields[name].label or name
            return f"{label}: {found[0]}"
        return ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the purchase, how it stands, and the act by which it does."""

    item: LineItem
    act: TimelineEntry | None

    @property
    def key(self) -> str:
        return self.item.key

    @property
    def waits(self) -> bool:
        return self.item.fulfilment == FulfilmentStatus.WAITING

    @property
    def is_done(self) -> bool:
        return self.item.fulfilment == FulfilmentStatus.DONE


def fulfilment_context(member: Member, transaction: Transaction) -> dict[str, Any]:
    """What transactions/_fulfilment.html and the notice about the amount need."""
    said = _said(transaction)
    latest = fulfilment.latest(transaction, said)
    lines = [Line(item, latest.get(item.key)) for item in transaction.items.all()]
    claimed = fulfilment.is_claimed(transaction)
    mine = claimed and transaction.claimed_by_id == member.user_id
    return {
        "may_fulfil": role_may(member.role, "fulfil"),
        "lines": lines,
        "several": len(lines) > 1,
        "waiting": transaction.fulfilment == FulfilmentStatus.WAITING,
        "waiting_lines": sum(line.waits for line in lines),
        "is_done": transaction.fulfilment == FulfilmentStatus.DONE,
        "why_not_waiting": fulfilment.why_not_waiting(transaction),
        "whole_act": _of_all(transaction, latest, lines),
        "kept": _kept(transaction, said),
        "claimed": claimed,
        "claimed_by_me": mine,
        "free_for_me": mine or not claimed,
        "may_accept": role_may(member.role, "accept_amount")
        and not acceptance.why_not(transaction),
        "may_withdraw": role_may(member.role, "accept_amount")
        and transaction.accepted is not None,
        "acceptance": _acceptance(transaction, said),
        "figures": acceptance.figures_of(transaction),
    }


def _said(transaction: Transaction) -> list[TimelineEntry]:
    """What staff did to it."""
    rows = transaction.timeline.filter(topic__in=TOPICS).select_related("actor")
    return list(rows.order_by("order"))


def _of_all(
    transaction: Transaction, latest: fulfilment.Acts, lines: Sequence[Line]
) -> TimelineEntry | None:
    """The one act by which everything stands as it does, if it is one."""
    if not lines:
        return latest.get(WHOLE)
    found = {act.identity: act for act in latest.values()}
    alone = len(found) == 1 and len(latest) == len(lines)
    return next(iter(found.values())) if alone else None


def _kept(
    transaction: Transaction, said: Sequence[TimelineEntry]
) -> TimelineEntry | None:
    """That it was left with the customer after a chargeback, where that holds."""
    if transaction.status != "charged_back" or transaction.to_revoke:
        return None
    return _last(said, Act.KEPT) if transaction.fulfilment == "done" else None


def _acceptance(
    transaction: Transaction, said: Sequence[TimelineEntry]
) -> TimelineEntry | None:
    return _last(said, Act.ACCEPTED) if transaction.accepted else None


def _last(said: Sequence[TimelineEntry], act: Act) -> TimelineEntry | None:
    found = [entry for entry in said if entry.status == act]
    return max(found, key=lambda entry: entry.order, default=None)
