"""How a member has the list: columns, the height of rows, the view to start with."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from merchant.models import Member
from transactions import columns
from transactions.models import ListLayout, SavedView


class NotKept(ValueError):
    """The list cannot look like that; `str()` is a sentence for who asked."""


def of(member: Member) -> ListLayout:
    """The member's own; ours if they have none. Asked for once per request."""
    try:
        return member.list_layout
    except ListLayout.DoesNotExist:
        return ListLayout(member=member)


def keep(member: Member, keys: Sequence[str], density: str) -> ListLayout:
    """These columns in this order from now on. Raises NotKept.

    Ours are not written down, so that who never chose gets a better choice of ours.
    """
    if unknown := [key for key in keys if key not in columns.COLUMNS]:
        raise NotKept(_("There is no column called “%s”.") % unknown[0][:40])
    if density not in ListLayout.Density.values:
        raise NotKept(_("Rows are either roomy or compact."))
    # The customer's column cannot be left out; alone it is a choice as well.
    wanted = columns.in_order([columns.CUSTOMER.key, *keys])
    ours = wanted == list(columns.DEFAULT)
    return _write(member, columns=[] if ours else wanted, density=density)


def reset(member: Member) -> ListLayout:
    """Our columns and roomy rows again; the view to start with stays."""
    return _write(member, columns=[], density=ListLayout.Density.ROOMY)


def make_default(member: Member, view: SavedView | None) -> ListLayout:
    """The view that the bare list leads to; None: the whole list."""
    return _write(member, view=view)


def _write(member: Member, **values: object) -> ListLayout:
    layout, _new = ListLayout.objects.update_or_create(member=member, defaults=values)
    member.list_layout = layout
    return layout
