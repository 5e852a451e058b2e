"""Refunds: asked for once, approved where that is needed, sent once, looked up until
their end is known. The books change on the provider's word, never on our request.

What pages and the API need of it:

    options(transaction)     what can be given back and why not, how much is left, which
                             parts, reasons, what the provider keeps, warnings
    why_not(transaction)     only the sentence, for a selection of many
    above(by, project, amount, currency)   why a second member has to approve, or "":
                             a page asks for a fresh login first (merchant.fresh_login)
    request(by, transaction, ...)          asks; `key` from the form makes twice once
    approve, decline, cancel, give_up(by, refund id, ...)
    is_unsent, is_stoppable  whether cancel() makes sense, why_not_canceled() in words
    visible_to(member)       the refunds that the member may see

All verbs raise NotNow with a sentence for staff, and write the audit log. The worker's
part is expire_due() and submit_due().
"""

from __future__ import annotations

from transactions.refunds.asking import (
    NotNow,
    approve,
    cancel,
    decline,
    expire_due,
    give_up,
    is_stoppable,
    is_unsent,
    request,
    why_not_canceled,
)
from transactions.refunds.limits import above, set_limit, today
from transactions.refunds.rules import Line, Options, left_of, options, where, why_not
from transactions.refunds.sending import due, submit_due
from transactions.selectors import refunds_of_project as of_project
from transactions.selectors import refunds_visible_to as visible_to

__all__ = [
    "Line",
    "NotNow",
    "Options",
    "above",
    "approve",
    "cancel",
    "decline",
    "due",
    "expire_due",
    "give_up",
    "is_stoppable",
    "is_unsent",
    "left_of",
    "of_project",
    "options",
    "request",
    "set_limit",
    "submit_due",
    "today",
    "visible_to",
    "where",
    "why_not",
    "why_not_canceled",
]
