"""What a file is to be: of which table, in which form, and what its head says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from merchant.access import may
from transactions.exports.kinds import Manner

Format = Literal["csv", "xlsx", "pdf", "jsonl"]
Style = Literal["people", "programs"]

#: format -> (ending of the file's name, its media type).
FORMATS: dict[str, tuple[str, str]] = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "xlsx": (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "pdf": ("pdf", "application/pdf"),
    "jsonl": ("jsonl", "application/x-ndjson"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A file that is wanted.

    `table`: a key of transactions.exports.table.TABLES. `columns`: keys of its columns
    in order; none: its default. `zone`: an IANA name, in which people read the times.
    `minor`: amounts in minor units; None: as the style has it (people decimal, programs
    minor). `bom`: a CSV begins with the mark that tells Excel that it is UTF-8.
    `masked`: personal columns show only what tells people apart (see `masks`).

    The rest is what the file says of itself: `filters` in words, `period` in words,
    who made it and when (UTC), and whether it is one of a schedule, whose changes of
    earlier periods are told apart.
    """

    table: str
    format: Format
    made_at: datetime
    style: Style = "people"
    zone: str = "UTC"
    columns: tuple[str, ...] = ()
    minor: bool | None = None
    bom: bool = False
    masked: bool = False
    merchant: str = ""
    project: str = ""
    filters: str = ""
    period: str = ""
    made_by: str = ""
    of_schedule: bool = False

    @property
    def for_people(self) -> bool:
        """JSON Lines are never read by people."""
        return self.style == "people" and self.format != "jsonl"

    @property
    def in_minor(self) -> bool:
        return (not self.for_people) if self.minor is None else self.minor

    @property
    def manner(self) -> Manner:
        return Manner(self.for_people, self.in_minor, ZoneInfo(self.zone))


def masks(role: str) -> bool:
    """Whether a member of this role sees personal columns masked."""
    return not may(role, "view_customers")
