"""Exports: files made from a list, exactly what its filter shows.

    start(by, Wish(...))        begins one; small ones are ready when it returns
    again, cancel, delete       what else is done with one
    open_file(by, export)       for a download: looks at who asks, now
    visible_to(member), of_key  which exports somebody sees
    add, change, pause ...      in `schedules`: exports that come again
    run_due(), tidy()           the worker's part

Verbs raise NotPossible with a sentence, PermissionError where a role may not, and write
the audit log. How a file is written is transactions.exports.
"""

from __future__ import annotations

from transactions.exporting import schedules, stopping
from transactions.exporting.asking import again, cancel, delete, start
from transactions.exporting.files import open_file, receipt_bytes, tidy
from transactions.exporting.lists import LISTS
from transactions.exporting.refusal import NotPossible
from transactions.exporting.running import make_due
from transactions.exporting.seen import of_key, schedules_visible_to, visible_to
from transactions.exporting.telling import send_due
from transactions.exporting.wish import AT_ONCE, Wish

__all__ = [
    "AT_ONCE",
    "LISTS",
    "NotPossible",
    "Wish",
    "again",
    "cancel",
    "delete",
    "of_key",
    "open_file",
    "receipt_bytes",
    "run_due",
    "schedules",
    "schedules_visible_to",
    "start",
    "tidy",
    "visible_to",
]


def run_due() -> int:
    """Begins scheduled ones, makes what waits, tells of what is done; how many made."""
    schedules.begin_due()
    made = make_due()
    send_due()
    stopping.send_due()
    return made
