"""What a Paysecure payout says: money that the merchant sends to somebody."""

from __future__ import annotations

from merchant.providers import wire
from merchant.providers.base import Fact, Keys, Want, mapping, moment, say, stamp, text
from merchant.providers.paysecure.message import Message
from merchant.providers.paysecure.words import PAYOUTS


def facts(message: Message, keys: Keys, *, fetched: bool) -> list[Fact]:
    """The payout; none for a status that nobody knows. Raises Unreadable.

    Its content holds the payee's bank details and the answer to a secret question:
    only what is named here is taken.
    """
    if message.status not in PAYOUTS:
        return []
    payout, weight = message.content, 2 if fetched else 1
    word = PAYOUTS[message.status]
    amount, warning = payout.get("amount"), ""
    money = None
    if amount is not None:
        money, warning = wire.price(amount, payout.get("currency"))
    doubtful = bool(warning) or str(payout.get("amountUnit")).upper() == "MINOR"
    reason = text(payout.get("errorMsg"), 250)
    is_test = payout.get("is_test")
    if not isinstance(is_test, bool):
        is_test = not keys.livemode
    said = say(
        weight,
        livemode=False if is_test else None,  # nothing said is live
        money=[money.minor, money.currency] if money else None,
        created=stamp(moment(payout.get("created_on"))),
        arrives=stamp(moment(payout.get("paymentOn"))),
        reason=reason,
        method=(text(payout.get("payoutMethod"), 60) or "").lower(),
        verified=fetched and not doubtful,
        details=wire.filled(
            {
                "payee": text(mapping(payout.get("client")).get("full_name"), 200),
                "reference": text(payout.get("merchantRef"), 200),
                "purpose": text(payout.get("purpose"), 300),
                "warning": warning,
            }
        ),
    )
    return [
        Fact(
            topic="payout",
            object_kind="payout",
            object_id=message.id,
            status=word.status,
            order=message.updated,
            rank=word.rank * 2 + fetched,
            at=moment(message.updated),
            says=said,
            wants=() if fetched else (Want("payout", message.id),),
            summary=f"{word.summary}{f': {reason}' if reason else ''}",
            occurrence=message.status,
        )
    ]
