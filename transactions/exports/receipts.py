"""What a file says of itself: its receipt, in the file or beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _

from transactions.exports.kinds import major
from transactions.exports.source import Picture, Sums
from transactions.exports.spec import Spec
from transactions.exports.table import Sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was written.

    `parts`: how many sheets or pages. `size` in bytes and `sha256` are of the whole
    file. A file cannot hold its own digest, so one that has its receipt inside says
    there `data_sha256`: of what `data_is` says. `missing_glyphs`: characters for which
    no font of a PDF has a picture.
    """

    spec: Spec
    rows: int
    parts: int
    size: int
    sha256: str
    data_sha256: str
    data_is: str
    sums: list[Sums] = field(default_factory=list)
    missing_glyphs: int = 0

    def as_json(self) -> dict[str, Any]:
        """For the API and the file beside a CSV: amounts in minor units, times UTC."""
        spec = self.spec
        return {
            "object": "export_receipt",
            "table": spec.table,
            "format": spec.format,
            "style": spec.style,
            "sha256": self.sha256,
            "data_sha256": self.data_sha256,
            "data_is": self.data_is,
            "size": self.size,
            "rows": self.rows,
            "parts": self.parts,
            "merchant": spec.merchant,
            "project": spec.project,
            "filters": spec.filters,
            "period": spec.period,
            "time_zone": spec.zone,
            "made_by": spec.made_by,
            "made_at": f"{spec.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "masked": spec.masked,
            "missing_glyphs": self.missing_glyphs,
            "sums": [
                {"currency": sums.currency, "rows": sums.rows, **sums.values}
                for sums in self.sums
            ],
        }


def lines(spec: Spec, picture: Picture) -> Iterator[tuple[str, str]]:
    """(label, text) of what a file says of itself, but for its sums and digest."""
    yield _("Merchant"), spec.merchant
    if spec.project:
        yield _("Project"), spec.project
    yield _("List"), str(picture.table.label)
    yield _("Filters"), spec.filters or _("Everything")
    if spec.period:
        yield _("Period"), spec.period
    yield _("Time zone"), spec.zone
    yield _("Rows"), f"{picture.total:,}"
    yield _("Made by"), spec.made_by
    made = spec.made_at.astimezone(spec.manner.zone)
    yield _("Made at"), f"{made:%Y-%m-%d %H:%M:%S} {made.tzname()}"
    if spec.masked:
        yield _("Personal data"), _("masked for the role of who made it")


def sum_text(sums: Sums, sum: Sum, *, in_minor: bool) -> str:
    """One sum as it stands in a receipt: 1234.56, or minor units."""
    value = sums.values[sum.key]
    if not sum.is_money or in_minor or not sums.currency:
        return str(value)
    return format(major(value, sums.currency), "f")
