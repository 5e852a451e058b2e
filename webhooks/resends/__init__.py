"""Many deliveries sent again: said, counted, then put into the queue bit by bit.

form       what is meant, as somebody fills it in on a page
plans      what is meant, whoever said it: which rows, what is done with some of them
running    start, cancel, and the worker's round
seen       whose a member sees, and how far one is in words

Few are queued while who asked waits; many by a worker, whose place is remembered with
every batch, so that it can be watched, stopped, and taken over by another.
"""

from __future__ import annotations

from webhooks.resends.running import cancel, run_due, start
from webhooks.resends.seen import seen_by

__all__ = ["cancel", "run_due", "seen_by", "start"]
