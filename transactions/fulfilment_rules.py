"""By which rule a line is handed over: its product's, else its project's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q

from transactions.models import FulfilmentRule

#: What holds where nobody ever said anything.
USUAL = FulfilmentRule.Rule.MANUAL

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rules:
    """(project, product or None) -> its rules as (since, rule), the latest first."""

    known: dict[tuple[UUID, UUID | None], list[tuple[datetime, str]]]

    def at(self, project: UUID, product: UUID | None, paid: datetime | None) -> str:
        """The rule for what was paid then; while it is unpaid, the one of now."""
        for place in ((project, product), (project, None)):
            for since, rule in self.known.get(place, ()):
                if paid is None or since <= paid:
                    return rule
        return USUAL


def of(lines: Iterable[tuple[UUID, UUID | None]]) -> Rules:
    """The rules that (project, product) lines can come under, in one question."""
    wanted = set(lines)
    projects = {project for project, _ in wanted}
    products = {product for _, product in wanted if product}
    rows = FulfilmentRule.objects.filter(
        Q(product=None) | Q(product__in=products), project__in=projects
    )
    known: dict[tuple[UUID, UUID | None], list[tuple[datetime, str]]] = {}
    for row in rows.order_by("-id"):
        place = (row.project_id, row.product_id)
        known.setdefault(place, []).append((row.since or _BEGINNING, row.rule))
    for rules in known.values():
        # Stable: of two that hold from the same time on, the one set last.
        rules.sort(key=lambda rule: rule[0], reverse=True)
    return Rules(known)
