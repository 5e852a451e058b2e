"""What people give for a connection, read into what is kept: keys, ids, addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from merchant import destinations
from merchant.providers import PROVIDERS

SHORTEST_SECRET = 6
LONGEST_SECRET = 10_000
MOST_BRANDS = 50


class NotUsable(ValueError):
    """What was given cannot be used for a connection; `str()` says why.

    `field`: which of the things given it is, as open_connection calls them; "" where
    it is none of them alone.
    """

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field


def read_key(provider: str, kind: str, given: str) -> str:
    """The key as it is kept. `kind` as in Secret.KINDS. Raises NotUsable."""
    name = PROVIDERS[provider].name
    normalise = normaliser(provider)
    if kind == "signing":
        return _read_secret(given)
    if kind not in {"public", "private"}:
        raise NotUsable(f"There is no kind of key {kind!r}.")
    field = f"{kind}_key"
    if normalise is None:
        words = f"{name} signs with a secret and has no {kind} key; leave it out."
        raise NotUsable(words, field)
    if kind == "private":
        return _read_private_key(given)
    try:
        return normalise(given)
    except ValueError as error:
        raise NotUsable(f"The public key cannot be read: {error}", field) from error


def normaliser(provider: str) -> Callable[[str], str] | None:
    """What reads a public key of the provider; None where it signs with a secret."""
    return getattr(PROVIDERS[provider], "normalise_public_key", None)


def kind_of(provider: str) -> str:
    """The kind of key that proves the provider's deliveries."""
    return "public" if normaliser(provider) else "signing"


def read_call_key(given: str, what: str, field: str) -> str:
    """A key that calls to the provider carry; "" is none. Raises NotUsable."""
    key = read_word(given, f"The {what}", LONGEST_SECRET, field)
    if not key.isascii():  # it travels in a header
        raise NotUsable(f"The {what} holds characters that no {what} has.", field)
    return key


def read_base_url(given: str, *, demo: bool) -> str:
    """Where the provider's API is asked; "" is its own place. Raises NotUsable."""
    url, field = given.strip().rstrip("/"), "base_url"
    if not url:
        return ""
    if len(url) > 500 or "?" in url or "#" in url:
        raise NotUsable("The base URL must be short and have no query.", field)
    try:
        target = destinations.read_url(url)
    except destinations.NotAllowed as error:
        raise NotUsable(f"The base URL cannot be used. {error}", field) from error
    if target.sandbox and not demo and not settings.ALLOW_PRIVATE_ENDPOINTS:
        raise NotUsable(
            "The sandbox is for the demo's own connections. To use it with others, "
            "start with ALLOW_PRIVATE_ENDPOINTS=on.",
            field,
        )
    return url


def read_brands(given: Iterable[str]) -> list[str]:
    """Each brand once, in the order given. Raises NotUsable."""
    field = "brand_ids"
    brands = [read_word(brand, "A brand id", 80, field) for brand in given]
    if len(brands) > MOST_BRANDS:
        words = f"A connection takes at most {MOST_BRANDS} brand ids."
        raise NotUsable(words, field)
    return list(dict.fromkeys(filter(None, brands)))


def read_word(given: str, what: str, most: int, field: str = "") -> str:
    """One line of text, without the blanks around it. Raises NotUsable."""
    word = given.strip()
    if len(word) > most:
        raise NotUsable(f"{what} is longer than {most} characters.", field)
    if not word.isprintable():
        words = f"{what} holds a line break or another control character."
        raise NotUsable(words, field)
    return word


def _read_secret(given: str) -> str:
    secret = given.strip()
    if len(secret) < SHORTEST_SECRET:
        raise NotUsable(
            f"The secret is shorter than {SHORTEST_SECRET} characters: a short one "
            "can be guessed, an empty one lets everybody in.",
            "secret",
        )
    return read_word(secret, "The secret", LONGEST_SECRET, "secret")


def _read_private_key(given: str) -> str:
    """Only the sandbox signs with one, so only its form is looked at."""
    try:
        load_pem_private_key(given.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotUsable("The private key is no PEM key without a password.") from error
    return given
