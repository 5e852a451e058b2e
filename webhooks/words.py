"""Names of events in other people's words, and which of ours they mean; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from webhooks.catalogue import GROUPS, KINDS, TEST, Kind, UnknownEvent

#: Stripe's word -> ours; several of ours can be one of Stripe's.
STRIPE: dict[str, list[str]] = {}
for _kind in KINDS.values():
    if _kind.stripe:
        STRIPE.setdefault(_kind.stripe, []).append(_kind.name)

#: PayNow's word ("ON_ORDER_COMPLETED") -> ours.
PAYNOW: dict[str, list[str]] = {}
for _kind in KINDS.values():
    if _kind.paynow and _kind is not TEST:
        PAYNOW.setdefault(_kind.paynow, []).append(_kind.name)

#: The one event that PayNow's API calls otherwise than its webhooks do.
_RENAMED = {"ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT": "OnDiscordOrderActionsQueued"}
#: The same as its API writes it: "OnOrderCompleted" -> "ON_ORDER_COMPLETED".
PASCAL = {
    _RENAMED.get(word, "".join(map(str.capitalize, word.split("_")))): word
    for word in PAYNOW
}
_TO_PASCAL = {word: pascal for pascal, word in PASCAL.items()}


# ------------------------------------------------------------------------------ Stripe
def stripe_word(kind: Kind) -> str:
    """The type under which an event is listed: Stripe's, ours where it has none."""
    return kind.stripe or kind.name


def ours_of(word: str) -> list[str]:
    """Our names of what a type means: one of Stripe's or ours, or a group with a star
    at its end. Raises UnknownEvent."""
    if word == "*":
        return list(KINDS)
    if word in STRIPE or word in KINDS:
        return list(dict.fromkeys([*STRIPE.get(word, ()), *_own(word)]))
    stem = word.removesuffix("*")
    if stem != word and stem.endswith("."):
        found = [kind.name for kind in KINDS.values() if _starts(kind, stem)]
        if found:
            return found
    raise UnknownEvent(
        f"There is no event {word[:60]!r}. Use a name of Stripe's such as "
        "checkout.session.completed, one of ours such as payment.success, a group "
        'such as "charge.*", or "*" for all.'
    )


def _own(word: str) -> list[str]:
    return [word] if word in KINDS else []


def _starts(kind: Kind, stem: str) -> bool:
    return kind.name.startswith(stem) or kind.stripe.startswith(stem)


def asked_in_stripes_words(words: Iterable[str]) -> bool:
    """Whether any of the names is one that only Stripe has."""
    groups = {f"{group}.*" for group in GROUPS}
    return any(
        word != "*" and word not in KINDS and word not in groups for word in words
    )


def wanted(words: Iterable[str]) -> list[str]:
    """What an endpoint keeps (see catalogue.read_names) for these names of anybody's.

    Groups of ours stay groups, so that they take in what is added later. Raises
    UnknownEvent.
    """
    groups = {f"{group}.*" for group in GROUPS}
    found: list[str] = []
    for word in filter(None, map(str.strip, words)):
        if word == "*":
            return ["*"]
        names = [word] if word in groups else ours_of(word)
        found += [name for name in names if name != TEST.name]
    return list(dict.fromkeys(found))


def in_stripes_words(events: Sequence[str], dialect: str) -> list[str]:
    """What an endpoint asks for as Stripe's clients read it: in Stripe's names where
    that is what it is sent, "*" for all."""
    if not events:
        return ["*"]
    if dialect != "stripe":
        return list(events)
    told = [stripe_word(KINDS[name]) if name in KINDS else name for name in events]
    return list(dict.fromkeys(told))


# ------------------------------------------------------------------------------ PayNow
def paynow_word(text: str) -> str:
    """ "ON_REFUND" for that, for "OnRefund", and for "on_refund", as the API wrote it
    before. Raises UnknownEvent."""
    word = PASCAL.get(text, text.upper())
    if word not in PAYNOW:
        raise UnknownEvent(
            f"There is no event {text[:60]!r}. There are {', '.join(PASCAL)}."
        )
    return word


def pascal(word: str) -> str:
    """ "OnRefund" for "ON_REFUND"."""
    return _TO_PASCAL.get(word, word)


def in_paynows_words(events: Sequence[str]) -> list[str]:
    """What an endpoint asks for in PayNow's names: all where it asks for all."""
    if not events:
        return list(PAYNOW)
    asked = set(events)
    return [
        word
        for word, names in PAYNOW.items()
        if any(name in asked or f"{KINDS[name].group}.*" in asked for name in names)
    ]
