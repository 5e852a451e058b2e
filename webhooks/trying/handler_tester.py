"""Cases that a merchant's handler should get right, and what its answers mean; pure.

The first four are those of PaySuper's own tester, in every dialect: a customer who is
known, one who is not, a payment, a wrong signature. Then a letter that comes twice, and
an old one. Nothing of it happened: every letter is of a test, and marked as one.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webhooks import samples
from webhooks.catalogue import KINDS, TEST
from webhooks.dialects import DIALECTS, compose, paysuper
from webhooks.dialects.base import Letter, News, SigningKeys

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Dialects that sign the time of the letter, too.
STAMPED = frozenset({"standard", "stripe", "paynow"})
#: Dialects whose letters carry a signature of every live secret.
SIGNED_BY_ALL = frozenset({"standard", "stripe"})
#: Older than any receiver should take, and no older than a letter can get on its way.
TOO_OLD = timedelta(minutes=10)
LATE = timedelta(days=2)

#: Answers that are right. PaySuper itself takes these two for received, no other.
TAKEN: Collection[int] = range(200, 300)
TAKEN_BY_PAYSUPER: Collection[int] = (200, 204)
REFUSED: Collection[int] = range(400, 500)

#: What PaySuper's tester signs its wrong letter with, and calls its unknown customer.
_WRONG_SECRET = "testing_secret_key_wrong"  # noqa: S105 - known to everybody
_NOBODY = "paysuper_test_"
#: The cases that it knows by name; ours beside them are payments to it.
_PAYSUPERS = frozenset(
    {"existing_user", "non_existing_user", "correct_payment", "invalid_signature"}
)
_SOMEBODY = "ada@example.com"

_ROOM = UUID("0c8f3a4e-2f0b-4e0e-9b7a-8a3c5d1e6f27")


@dataclass(frozen=True, slots=True)
class Case:
    """Letters that go to a handler one after the other, and what it must answer.

    name      "existing_user", "non_existing_user", "correct_payment",
              "invalid_signature", "duplicate", "old"
    title     for a page
    sent      what is sent, in a sentence
    letters   two for "duplicate", else one
    right     the statuses that are right, of each answer
    expected  the same in words ("2xx", "200 or 204", "4xx")
    why       why, in a sentence
    """

    name: str
    title: StrOrPromise
    sent: StrOrPromise
    letters: tuple[Letter, ...]
    right: Collection[int]
    expected: StrOrPromise
    why: StrOrPromise


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer was right, and a sentence about it."""

    passed: bool
    words: str


def cases(
    dialect: str, keys: SigningKeys, at: datetime, *, customer: str = ""
) -> list[Case]:
    """The letters of every case, signed as if they were sent at `at`.

    `customer`: one whom the handler knows, by the shop's own id at PaySuper and by the
    e-mail address elsewhere. Runs at different moments have different ids, so that a
    handler does not take the second run for duplicates of the first. Where letters
    have room for one signature, the newest secret makes it.
    """
    if dialect not in SIGNED_BY_ALL:
        keys = keys.turn(1)
    return [
        _existing_user(dialect, keys, at, customer or _SOMEBODY),
        _non_existing_user(dialect, keys, at),
        _correct_payment(dialect, keys, at, customer or _SOMEBODY),
        _invalid_signature(dialect, keys, at),
        _duplicate(dialect, keys, at),
        _old(dialect, keys, at),
    ]


def judge(case: Case, status: int | None) -> Verdict:
    """What an answer to a letter of the case means; None for no answer at all."""
    if status is not None and status in case.right:
        return Verdict(True, _("Right: it answered %(status)s.") % {"status": status})
    told = {"status": status, "expected": case.expected, "why": case.why}
    return Verdict(False, str(_mistake(case, status)) % told)


def _mistake(case: Case, status: int | None) -> StrOrPromise:
    if status is None:
        return _("It did not answer. %(expected)s is right: %(why)s")
    if 300 <= status < 400:
        return _(
            "It answered %(status)s. Redirects are never followed: answer at this very"
            " address, with %(expected)s."
        )
    if status >= 500:
        return _(
            "It answered %(status)s: something broke in it. %(expected)s is right:"
            " %(why)s"
        )
    if status in {400, 401, 403} and case.right is not REFUSED:
        return _(
            "It answered %(status)s to a letter that is signed right. Does it know this"
            " endpoint's secret or public key, and does it look at the bytes as they"
            " came? %(expected)s is right: %(why)s"
        )
    return _("It answered %(status)s. %(expected)s is right: %(why)s")


# --------------------------------------------------------------------------- the cases
def _existing_user(
    dialect: str, keys: SigningKeys, at: datetime, customer: str
) -> Case:
    news = _news(dialect, "existing_user", at)
    return Case(
        name="existing_user",
        title=gettext_lazy("A customer whom you know"),
        sent=gettext_lazy("A payment of a customer of yours, signed right."),
        letters=(_letter(dialect, news, keys, at, customer=customer),),
        **_taken(dialect),
        why=gettext_lazy("You know who paid, so nothing stands in the way."),
    )


def _non_existing_user(dialect: str, keys: SigningKeys, at: datetime) -> Case:
    news = _news(dialect, "non_existing_user", at)
    nobody = f"{_NOBODY}{uuid5(_ROOM, at.isoformat())}"
    if dialect == "paysuper":
        return Case(
            name="non_existing_user",
            title=gettext_lazy("A customer whom nobody knows"),
            sent=gettext_lazy("A payment of an invented customer, signed right."),
            letters=(_letter(dialect, news, keys, at, customer=nobody),),
            right=REFUSED,
            expected=gettext_lazy("4xx"),
            why=gettext_lazy(
                "PaySuper asks in this way whether the customer exists; refuse with the"
                " error code INVALID_USER."
            ),
        )
    return Case(
        name="non_existing_user",
        title=gettext_lazy("A customer whom nobody knows"),
        sent=gettext_lazy("A payment of an invented customer, signed right."),
        letters=(_letter(dialect, news, keys, at, customer=f"{nobody}@example.com"),),
        **_taken(dialect),
        why=gettext_lazy(
            "The money has come, whoever paid it: take the letter, and have a person"
            " look. An error only brings the same letter again."
        ),
    )


def _correct_payment(
    dialect: str, keys: SigningKeys, at: datetime, customer: str
) -> Case:
    news = _news(dialect, "correct_payment", at)
    return Case(
        name="correct_payment",
        title=gettext_lazy("A payment"),
        sent=gettext_lazy("A payment with two lines, signed right."),
        letters=(_letter(dialect, news, keys, at, customer=customer),),
        **_taken(dialect),
        why=gettext_lazy(
            "Say that it has come within 15 seconds, and do the work afterwards; any"
            " other answer brings it again."
        ),
    )


def _invalid_signature(dialect: str, keys: SigningKeys, at: datetime) -> Case:
    news = _news(dialect, "invalid_signature", at)
    letter = _letter(dialect, news, keys, at)
    return Case(
        name="invalid_signature",
        title=gettext_lazy("A wrong signature"),
        sent=gettext_lazy("A payment that somebody else has signed."),
        letters=(Letter(letter.body, _forged(dialect, news, letter, at)),),
        right=REFUSED,
        expected=gettext_lazy("4xx"),
        why=gettext_lazy(
            "Whoever finds your address could else make up payments. Compare the"
            " signature over the bytes as they came, before you read them."
        ),
    )


def _duplicate(dialect: str, keys: SigningKeys, at: datetime) -> Case:
    news = _news(dialect, "duplicate", at)
    once = _letter(dialect, news, keys, at)
    again = _letter(dialect, replace(news, attempt=2), keys, at)
    return Case(
        name="duplicate",
        title=gettext_lazy("The same letter twice"),
        sent=gettext_lazy("A payment, and the same event once more as its second try."),
        letters=(once, again),
        **_taken(dialect),
        why=gettext_lazy(
            "Letters can come twice. Note the event's id, hand over once, and say that"
            " the second has come, too; an error would bring it a third time."
        ),
    )


def _old(dialect: str, keys: SigningKeys, at: datetime) -> Case:
    if dialect in STAMPED:
        when = at - TOO_OLD
        return Case(
            name="old",
            title=gettext_lazy("An old letter"),
            sent=gettext_lazy("A payment that was signed ten minutes ago."),
            letters=(_letter(dialect, _news(dialect, "old", when), keys, when),),
            right=REFUSED,
            expected=gettext_lazy("4xx"),
            why=gettext_lazy(
                "Each try is signed with its own time, so one that is more than five"
                " minutes old is somebody's copy."
            ),
        )
    when = at - LATE
    return Case(
        name="old",
        title=gettext_lazy("An old letter"),
        sent=gettext_lazy("A payment of two days ago that comes only now."),
        letters=(_letter(dialect, _news(dialect, "old", when), keys, at),),
        **_taken(dialect),
        why=gettext_lazy(
            "It is tried for three days, and nothing in this signature tells its time:"
            " take it, and know its id for ever."
        ),
    )


def _taken(dialect: str) -> dict[str, Any]:
    if dialect == "paysuper":
        return {"right": TAKEN_BY_PAYSUPER, "expected": gettext_lazy("200 or 204")}
    return {"right": TAKEN, "expected": gettext_lazy("2xx")}


# ------------------------------------------------------------------------- the letters
def _news(dialect: str, case: str, at: datetime) -> News:
    """A payment of a test, with ids that only this run and case have."""
    # PayNow's test is a completed order whose ids begin with "test-".
    name = TEST.name if dialect == "paynow" else "payment.success"
    run = uuid5(_ROOM, f"{dialect} {case} {at.isoformat()}")
    payload = samples.sample("payment.success", provider="")
    seconds = int(at.timestamp())
    payload["references"] = {}
    payload["object"] |= {
        "id": str(run),
        "created": seconds - 60,
        "paid": seconds,
        "updated": seconds,
        "provider": "test",
        "provider_id": None,
        "metadata": {"testing_case": case},
    }
    return News(
        key=f"msg_{run.hex[:22]}",
        name=name,
        livemode=False,
        subject_kind=KINDS[name].subject,
        payload=payload,
        created=at,
    )


def _letter(
    dialect: str,
    news: News,
    keys: SigningKeys,
    at: datetime,
    customer: str = _SOMEBODY,
) -> Letter:
    if dialect == "paysuper":
        return _paysupers(news, keys, at, customer)
    news.payload["object"]["customer"] |= {"email": customer}
    letter = compose(dialect, news, keys, at)
    assert letter is not None  # every dialect tells of a payment
    return letter


def _paysupers(news: News, keys: SigningKeys, at: datetime, customer: str) -> Letter:
    """As PaySuper's tester sends it: a payment with the case's name in it."""
    case = news.payload["object"]["metadata"]["testing_case"]
    order = paysuper.order(news)
    order |= {"metadata": None}
    order |= {"testing_case": case if case in _PAYSUPERS else paysuper.CORRECT_PAYMENT}
    order["user"] |= {"external_id": customer}
    body = paysuper.envelope(news, "payment.success", order)
    return Letter(body, paysuper.sign(news, body, keys, at))


def _forged(
    dialect: str, news: News, letter: Letter, at: datetime
) -> Mapping[str, str]:
    """The letter's headers, signed by somebody who does not have the key."""
    if dialect == "paysecure":
        # As long as a right one, so that nothing but the check itself refuses it.
        wrong = base64.b64encode(bytes(range(256))).decode("ascii")
        signed = ("paysecure_sign", "paysecure-sign")
        return {**letter.headers, **dict.fromkeys(signed, wrong)}
    secret = _WRONG_SECRET
    if dialect == "standard":
        secret = "whsec_" + base64.b64encode(secret.encode()).decode("ascii")
    return DIALECTS[dialect].sign(news, letter.body, SigningKeys((secret,)), at)
