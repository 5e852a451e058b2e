"""What every provider answers, and the words in which it answers.

A provider is one module (or package) that knows one company's wire: how its
deliveries are signed, what they say, how it is asked. It touches no database and
no settings; it takes values and returns values. `providers/__init__.py` lists them.

A module answers (see `Provider`):

    slug, name            "stripe", "Stripe"
    references            kinds of ids that name a transaction, best first
    names_refunds         whether it tells of each refund by an id, or only how much
                          went back in all
    verify(incoming, keys)            -> words for the operator; raises BadSignature
    identify(incoming, payload)       -> Envelope; raises Unreadable
    read(payload, keys)               -> [Fact]; raises Unreadable
    reply(incoming, envelope, payload, duplicate) -> Reply or None
    fetch(want, keys, call)           -> [Fact]; raises Refused or Unreachable
    poll(since, until, keys, call)    -> iterator of [Fact]; raises the same
    sign(body, keys, at)              -> headers a real delivery would carry

and about money that goes back (see `Refunding`):

    refunds                           what its refunds can and cannot
    refund(order, keys, call)         -> Receipt; raises Refused or Unreachable
    find_refund(order, keys, call)    -> Receipt, or None where it has no such refund
    stop_refund(order, keys, call)    -> Receipt; raises Refused or Unreachable
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from merchant import strict_json
from merchant.providers.connecting import Setup

#: What a fact is about.
Topic = Literal[
    "payment",  # a purchase, or one of the provider's objects that make it up
    "refund",
    "dispute",
    "delivery_item",  # something handed to the customer by the provider itself
    "link",  # a customer's account elsewhere (Discord) was tied to the purchase
    "invoice",  # a bill that may or may not turn out to be a purchase
    "subscription",
    "trial",
    "payout",
]


# ---------------------------------------------------------------- what comes in
@dataclass(frozen=True, slots=True)
class Incoming:
    """One delivery as it came.

    `headers`: names in lower case with hyphens (a name sent with underscores looks
    the same here), values as text. `received` in UTC.
    """

    body: bytes
    headers: Mapping[str, str]
    received: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """An opened connection: what proves a delivery, and what a call out needs.

    `secrets` and `public_keys` hold every one that is live now, newest first;
    several during a rotation. Has no repr, so that no log can show it.
    """

    secrets: tuple[str, ...] = ()
    public_keys: tuple[str, ...] = ()
    private_key: str = ""  # only the sandbox signs with it
    api_key: str = ""
    user_token: str = ""  # a person's, where the API key alone may not do it
    base_url: str = ""  # "" = the provider's own
    brand_ids: tuple[str, ...] = ()
    account: str = ""
    livemode: bool = True  # the connection's mode; an event's own flag wins


class BadSignature(Exception):
    """The sender did not prove who it is. `str()` says to the operator what to do.

    `code` groups alike refusals ("missing", "mismatch", "stale", "malformed",
    "no_secret", "account"). `stale`: everything fits but the time, so a member may
    still accept it by hand. `status`: 401, or 400 where nothing could be checked.
    """

    def __init__(
        self, words: str, *, code: str, stale: bool = False, status: int = 401
    ) -> None:
        super().__init__(words)
        self.code, self.stale, self.status = code, stale, status


class Unreadable(Exception):
    """Authentic, but not what the provider's contract describes. Kept, not guessed."""


class Refused(Exception):
    """The provider said no, for good; `str()` has its words and what staff can do."""


class Unreachable(Exception):
    """No usable answer; time may heal it. `after`: seconds the provider asked for.

    `unsent`: it surely had no effect there, because nothing was sent, or because the
    provider said that it did not look at it. Otherwise it may have had.
    """

    def __init__(
        self, words: str, *, after: float | None = None, unsent: bool = False
    ) -> None:
        super().__init__(words)
        self.after = after
        self.unsent = unsent


@dataclass(frozen=True, slots=True)
class Envelope:
    """What intake must know of a delivery before it is kept.

    `event_id`: the provider's id, the same on every retry. `fingerprint`: sha256 hex
    of what must not change between retries ("" = the whole body). `testing`: a test
    send that must never become a transaction.
    """

    event_id: str
    event_type: str
    livemode: bool | None = None
    account: str = ""
    fingerprint: str = ""
    testing: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer a provider wants instead of ours."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


# ------------------------------------------------------------------ what it says
#: topic -> the columns its facts may speak of. Amounts are whole ISO 4217 minor units,
#: currencies lower-case, times the text that stamp() gives, countries ISO 3166 alpha-2.
COLUMNS: dict[str, tuple[str, ...]] = {
    "payment": (
        "money",  # [minor, currency]: what the purchase costs, captured if that differs
        "currency",  # only where the amount is not known
        "created",  # the earliest of all is taken
        "paid",  # when money came; only where the fact says that it did
        "reason",  # why the status is what it is, in words
        "livemode",  # bool
        "verified",  # False: the amount came unsigned and is not confirmed
        "warning",  # what a person should look at, in words
        "refunded_total",  # cumulative minor units given back, as this object says
        "refund_pending",  # bool: the object itself is in "refund under way"
        "settlement",  # {currency, amount, fee, net, exchange_rate}; minor, rate a text
        "description",
        "order_reference",  # the merchant's own order number
        "metadata",  # {text: text}, merged over all facts
        "customer_key",  # see transactions.models.Customer
        "customer_name",
        "customer_email",
        "customer_phone",
        "customer_country",
        "customer_details",  # merged: {address{line1,line2,city,postal_code,state,
        #   country}, shipping{...}, ip, locale, external_id, provider_id,
        #   identities{steam|minecraft|discord|...: {id,name}}}
        "method",  # card, sepa_debit, wallet, ... as the provider calls it, lower-case
        "method_brand",
        "method_last4",
        "method_details",  # merged: {wallet, network, funding, country, expires,
        #   three_d_secure, holder, issuer, risk_level, statement (what stands on the
        #   buyer's statement), receipt_number, ...}, texts
        "items",  # [{key, product, name, sku, quantity, amount, platform}]: key is the
        #   line's own id or position, product the provider's product id, sku, or ""
        "receipt_url",
        "account",  # connected account, or brand, the payment belongs to
        "callbacks",  # {success, failure}: where the purchase says it reports to
    ),
    "refund": (
        "money", "created", "reason", "failure_reason", "trace", "verified", "livemode",
        "request",  # our refund's id, as it came back with the provider's own
    ),
    "dispute": (
        "money", "created", "reason", "due_by", "livemode",
        "answered",  # True once the merchant's evidence is in, and nothing before
    ),
    "delivery_item": ("name", "created", "expires", "reason", "livemode"),
    "link": ("customer_details", "livemode"),
    "subscription": (
        "money", "created", "customer_name", "customer_email", "product", "interval",
        "period_start", "period_end", "ends", "reason", "details", "livemode",
    ),
    "payout": (
        "money", "created", "arrives", "reason", "method", "details", "verified",
        "livemode",
    ),
}  # fmt: skip
COLUMNS["invoice"] = COLUMNS["payment"]
COLUMNS["trial"] = COLUMNS["subscription"]


@dataclass(frozen=True, slots=True)
class Said:
    """One value for one column, and how much this source is to be believed.

    Of several, the greatest `weight` wins; within a weight, the latest state.
    """

    value: Any
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Want:
    """Something that a delivery left out and the worker has to ask the provider for.

    `kind` is the provider module's own word, `id` what to ask for.
    """

    kind: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What happened, in our words.

    object_kind, object_id   the provider's object ("charge", "ch_1")
    status                   its state in our words: for payments a status of
                             product.md or "released"; for the other topics see
                             transactions/statuses.py
    order, rank              what puts the states of one object in order, taken from
                             the content, never from the arrival: a greater pair is
                             later; ties go to the identity
    at                       when it happened by the provider's clock, UTC
    references               (kind, id) pairs that name the transaction; none for
                             subscriptions, trials and payouts
    says                     column -> Said, see COLUMNS; None values are left out;
                             values are what JSON can hold, times are stamp()ed
    wants                    what should be looked up
    summary                  a short sentence for the timeline
    occurrence               set where the same state may come again and must count
                             as another happening (a subscription active once more)
    """

    topic: Topic
    object_kind: str
    object_id: str
    status: str
    order: int = 0
    rank: int = 0
    at: datetime | None = None
    references: tuple[tuple[str, str], ...] = ()
    says: Mapping[str, Said] = field(default_factory=dict)
    wants: tuple[Want, ...] = ()
    summary: str = ""
    occurrence: str = ""

    @property
    def identity(self) -> str:
        """The same for two event objects that report one change of one object."""
        said = {name: [s.weight, s.value] for name, s in self.says.items()}
        parts = [self.topic, self.object_kind, self.object_id, self.status]
        text = _in_one_way([*parts, self.occurrence, sorted(self.references), said])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_in_one_way = json.JSONEncoder(
    sort_keys=True, default=str, separators=(",", ":")
).encode


# --------------------------------------------------------------------- calls out
#: A page of a hundred objects has far more values than any one delivery.
MOST_NODES = 200_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a call out. `json()` raises Unreachable on anything else."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return strict_json.parse(self.body, most_nodes=MOST_NODES)
        except strict_json.NotStrict as error:
            raise Unreachable(f"the provider's answer is no JSON: {error}") from error


#: merchant.http.send, handed in: call(method, url, headers={}, body=b"") -> Answer.
Call = Callable[..., Answer]


# ---------------------------------------------------------------- money that goes back
@dataclass(frozen=True, slots=True)
class Refunding:
    """What a provider's refunds can do; tables, so that no page has to know.

    partly           "amount": any part · "line": all or one whole line · "no": all
    reasons          our reason -> the provider's word for it; others are not sent
    replays          so long a request with the same key has no second effect, and may
                     be sent again after a lost answer; 0: it must never be
    names            it gives each refund an id; else figures tell what became of it
    stops            a refund can be canceled there, in these of our statuses
    needs            what of Keys is needed to ask for one
    by_hand          without that, a member does it in the provider's dashboard
    page             where: an address with {id} for the purchase's
    one_by_one       it takes another one only when the one before has ended
    """

    partly: Literal["amount", "line", "no"]
    reasons: Mapping[str, str] = field(default_factory=dict)
    replays: timedelta = timedelta(0)
    names: bool = True
    stops: frozenset[str] = frozenset()
    needs: Literal["api_key", "user_token"] = "api_key"
    by_hand: bool = False
    page: str = ""
    one_by_one: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A refund to be asked for, or asked about.

    request      our refund's id, the same for ever: the idempotency key is made of it
    amount       ISO 4217 minor units of `currency`, lower case
    whole        it is all that is left of the purchase
    untouched    nothing was given back before
    reason       ours, see transactions.statuses.RefundReason; `words`: the same to read
    references   kind -> the provider's ids of the purchase, the likeliest first
    line         the provider's id of the one line to give back, "" for none
    livemode     of the purchase
    provider_id  the refund's own id, once it is known
    others       ids of the purchase's other refunds that we asked for
    sent         when it was first sent, UTC
    """

    request: str
    amount: int
    currency: str
    whole: bool
    untouched: bool
    references: Mapping[str, tuple[str, ...]]
    livemode: bool
    reason: str = ""
    words: str = ""
    line: str = ""
    provider_id: str = ""
    others: frozenset[str] = frozenset()
    sent: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider says of a refund: facts, and the id that it goes by there."""

    facts: list[Fact]
    provider_id: str = ""


class Provider(Protocol):
    """The shape of a provider module."""

    @property
    def slug(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def references(self) -> tuple[str, ...]: ...
    @property
    def names_refunds(self) -> bool: ...
    @property
    def setup(self) -> Setup: ...

    def verify(self, incoming: Incoming, keys: Keys) -> str: ...
    def identify(self, incoming: Incoming, payload: Any) -> Envelope: ...
    def read(self, payload: Any, keys: Keys) -> list[Fact]: ...
    def reply(
        self, incoming: Incoming, envelope: Envelope, payload: Any, duplicate: bool
    ) -> Reply | None: ...
    def fetch(self, want: Want, keys: Keys, call: Call) -> list[Fact]: ...
    def poll(
        self, since: datetime, until: datetime, keys: Keys, call: Call
    ) -> Iterator[list[Fact]]: ...
    def sign(self, body: bytes, keys: Keys, at: datetime) -> dict[str, str]: ...

    @property
    def refunds(self) -> Refunding: ...
    def refund(self, order: RefundOrder, keys: Keys, call: Call) -> Receipt: ...
    def find_refund(
        self, order: RefundOrder, keys: Keys, call: Call
    ) -> Receipt | None: ...
    def stop_refund(self, order: RefundOrder, keys: Keys, call: Call) -> Receipt: ...


# -------------------------------------------------------------- shared by readers
#: What PostgreSQL will not store as text: NUL and half a surrogate pair.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def say(weight: int = 0, /, **columns: Any) -> dict[str, Said]:
    """Columns at one weight, leaving out what is None or an empty text."""
    return {
        name: Said(value, weight)
        for name, value in columns.items()
        if value is not None and value != ""
    }


def moment(value: object) -> datetime | None:
    """Unix seconds or an ISO 8601 text as UTC; None for what is no believable time."""
    try:
        if isinstance(value, bool) or value is None or value == "":
            return None
        if isinstance(value, str):
            when = datetime.fromisoformat(value)
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
        elif abs(value) < 10**12:  # type: ignore[operator, arg-type]
            # Bounded first: int() of 1e999999999 would never end.
            when = datetime.fromtimestamp(int(value), UTC)  # type: ignore[call-overload]
        else:
            return None
        when = when.astimezone(UTC)
    except (ArithmeticError, ValueError, OSError, TypeError):
        return None
    return when if 2000 <= when.year <= 2199 else None


def stamp(when: datetime | None) -> str | None:
    """A time as text that sorts as the times do; None stays None."""
    return None if when is None else when.isoformat(timespec="microseconds")


def text(value: object, most: int = 500) -> str | None:
    """A display text from outside: cleaned, cut with a mark; None if there is none."""
    if type(value) is not str:
        if value is None or isinstance(value, dict | list | bool):
            return None
        value = str(value)
    clean = value.strip()
    if not clean.isprintable():  # only then can there be what is no text
        clean = _NOT_TEXT.sub("\ufffd", value).strip()
    if len(clean) > most:
        clean = clean[: most - 1] + "…"
    return clean or None


def mapping(value: object) -> dict[str, Any]:
    """The object, or an empty one where a provider sent null or something else."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[dict[str, Any]]:
    """The objects of a list, whatever else the provider put there."""
    return (
        [row for row in value if isinstance(row, dict)]
        if isinstance(value, list)
        else []
    )


def labels(value: object, most: int = 50) -> dict[str, str] | None:
    """A provider's metadata as short texts, at most `most` keys; None when empty."""
    pairs = {
        str(text(key, 100)): text(item, 1000) or ""
        for key, item in list(mapping(value).items())[:most]
        if not isinstance(item, dict | list)
    }
    return pairs or None


def digest(body: bytes) -> str:
    """sha256 in hex."""
    return hashlib.sha256(body).hexdigest()


def first(*values: Iterable[Any] | Any) -> Any:
    """The first value that is not None and not an empty text."""
    return next((value for value in values if value is not None and value != ""), None)
