"""By which rule a line is handed over: its product's, else its project's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import connection
from django.db import transaction as database
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit, queue
from merchant.models import Member, Project
from transactions.models import FulfilmentRule, Product

Rule = FulfilmentRule.Rule

#: What holds where nobody ever said anything.
USUAL = Rule.MANUAL
#: What a product, and a project itself, can be told.
OF_PRODUCT = (Rule.PROJECT, Rule.MANUAL, Rule.EXTERNAL, Rule.NONE)
OF_PROJECT = (Rule.MANUAL, Rule.EXTERNAL, Rule.NONE)

#: Names the lock that keeps a new rule and the folding of a batch apart.
_LOCK = int.from_bytes(b"rules", "big")


class NotARule(ValueError):
    """It cannot be a rule; `str()` is a sentence for staff."""


@dataclass(frozen=True, slots=True)
class Rules:
    """(project, product or None) -> its rules as (since, rule), the last set first."""

    known: dict[tuple[UUID, UUID | None], list[tuple[datetime | None, str]]]

    def at(self, project: UUID, product: UUID | None, when: datetime) -> str:
        """The rule for what was paid then; created, while nothing was paid.

        Both are in the timeline, so that the same timeline always comes under the same
        rule, however often and whenever it is folded.
        """
        for place in ((project, product), (project, None)):
            holds = self._of(place, when)
            if holds not in (None, Rule.PROJECT):
                return str(holds)
        return USUAL

    def _of(self, place: tuple[UUID, UUID | None], when: datetime) -> str | None:
        for since, rule in self.known.get(place, ()):
            if since is None or since <= when:
                return rule
        return None


def of(lines: Iterable[tuple[UUID, UUID | None]]) -> Rules:
    """The rules that (project, product) lines can come under.

    In the transaction that writes the rows, no rule is set between this and its end.
    """
    wanted = {*lines}
    projects = {project for project, _product in wanted}
    products = {product for _project, product in wanted if product}
    _hold()
    rows = FulfilmentRule.objects.filter(
        Q(product=None) | Q(product__in=products), project__in=projects
    )
    known: dict[tuple[UUID, UUID | None], list[tuple[datetime | None, str]]] = {}
    for row in rows.order_by("-id"):
        place = (row.project_id, row.product_id)
        known.setdefault(place, []).append((row.since, row.rule))
    return Rules(known)


@database.atomic
def set(  # noqa: A001 - the call reads as a sentence
    by: Member,
    project: Project,
    product: Product | None,
    rule: str,
    *,
    since: datetime | None | Literal["now"] = "now",
    request: HttpRequest | None = None,
) -> FulfilmentRule:
    """From now on `rule` holds for the product, or for all of the project without one.

    For what was paid from `since` on, None for all that ever was. The worker applies it
    to what is there already. Raises NotARule.
    """
    now = timezone.now()
    if since == "now":
        since = now
    if rule not in (OF_PRODUCT if product else OF_PROJECT):
        raise NotARule(_("Choose one of the rules."))
    if since is not None and since > now:
        raise NotARule(_("The day is still to come. Choose today or an earlier one."))
    _wait_for_folding()
    row = FulfilmentRule.objects.create(
        project=project,
        product=product,
        rule=rule,
        since=since,
        set_by=by.user,
        created=now,
        applied=False,
    )
    audit.note(
        by,
        "fulfilment_rule.set",
        product or project,
        detail={"rule": rule, "since": since.isoformat() if since else None},
        request=request,
    )
    queue.ring(queue.RULES_JOB)
    return row


def of_projects(projects: Iterable[Project]) -> dict[UUID, str]:
    """project -> the rule that holds there now for what has none of its own."""
    shops = [project.pk for project in projects]
    last = _last(FulfilmentRule.objects.filter(project=OuterRef("pk"), product=None))
    said = Project.objects.filter(pk__in=shops).values_list("pk", last)
    found: dict[UUID, str] = dict.fromkeys(shops, USUAL)
    return found | {project: rule for project, rule in said if rule}


def own_rule() -> Subquery:
    """For a query of products: what was said last about each, null for nothing."""
    return _last(FulfilmentRule.objects.filter(product=OuterRef("pk")))


def history(project: Project, product: Product | None) -> QuerySet[FulfilmentRule]:
    """What was said about the product (about the project itself), the last first."""
    rows = FulfilmentRule.objects.filter(project=project, product=product)
    return rows.select_related("set_by").order_by("-id")


def in_words(rule: str, of_project: str) -> str:
    """A product's rule for people: "As the project says: By hand"."""
    if rule == Rule.PROJECT:
        return f"{Rule.PROJECT.label}: {Rule(of_project).label}"
    return str(Rule(rule).label)


def now_of(rows: Sequence[FulfilmentRule], otherwise: str) -> str:
    """The rule that holds now, of a history."""
    return rows[0].rule if rows else otherwise


def _last(rows: QuerySet[FulfilmentRule]) -> Subquery:
    return Subquery(rows.order_by("-id").values("rule")[:1])


# A batch that read the rules just before a new one was committed, and writes its rows
# just after, would leave rows that the next fold changes. So batches hold a lock that
# they share, and who sets a rule waits for those under way. SQLite has one writer.
def _hold() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def _wait_for_folding() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
