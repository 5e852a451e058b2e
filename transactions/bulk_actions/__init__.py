"""One act on many transactions: chosen and counted, confirmed, done by the worker.

A draft holds exactly the rows that will be touched and says of each whether it can be;
what is confirmed is that number. Each row is looked at again under its lock when its
turn comes, and is reported instead of changed when it is not as it was.
"""

from transactions.bulk_actions.acts import ACTS, acts_of
from transactions.bulk_actions.drafting import (
    MOST_TICKED,
    draft,
    draft_all,
    draft_reversal,
    tidy,
)
from transactions.bulk_actions.refusal import NotPossible
from transactions.bulk_actions.running import cancel, run_due, start
from transactions.bulk_actions.seen import items_seen_by, seen_by
from transactions.bulk_actions.shown import Shown

__all__ = [
    "ACTS",
    "MOST_TICKED",
    "NotPossible",
    "Shown",
    "acts_of",
    "cancel",
    "draft",
    "draft_all",
    "draft_reversal",
    "items_seen_by",
    "run_due",
    "seen_by",
    "start",
    "tidy",
]
