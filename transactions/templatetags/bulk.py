"""Template words of bulk actions."""

from __future__ import annotations

from django import template

from transactions.models import BulkAction

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """12345 -> 12,345."""
    return f"{number:,}"


@register.filter
def not_changed(bulk: BulkAction) -> int:
    """How many of its transactions were left as they are."""
    return bulk.found - bulk.ready + bulk.missed
