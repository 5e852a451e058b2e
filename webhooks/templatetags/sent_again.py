"""Template words of many deliveries sent again."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from webhooks.models import Resend

register = template.Library()

What = Resend.What
TITLES: dict[str, Any] = {
    What.FAILED: gettext_lazy("What failed, sent again"),
    What.MISSING: gettext_lazy("What was never told, sent"),
    What.CHOSEN: gettext_lazy("Chosen deliveries, sent again"),
    What.HELD: gettext_lazy("What was held, sent"),
    What.LET_GO: gettext_lazy("What was held, given up"),
}


@register.filter
def resend_title(run: Resend) -> str:
    return str(TITLES[run.what])


@register.filter
def resend_tells(run: Resend) -> str:
    """What came of it, in words without a full stop."""
    queued, dropped = f"{run.queued:,}", f"{run.dropped:,}"
    gone = ngettext("%s was given up", "%s were given up", run.dropped) % dropped
    if run.what == What.LET_GO:
        return gone
    told = ngettext("%s was queued", "%s were queued", run.queued) % queued
    if run.what == What.HELD and run.dropped:
        less = ngettext(
            "%(told)s, %(less)s was left out because newer news replaced it",
            "%(told)s, %(less)s were left out because newer news replaced them",
            run.dropped,
        )
        return less % {"told": told, "less": dropped}
    return told if run.queued else _("Nothing was queued")


@register.filter
def resend_unsent(run: Resend) -> int:
    """Looked at, and not sent."""
    return run.rows_done - run.queued
