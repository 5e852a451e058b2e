"""Where a call may go: an allow-list of URLs and of the addresses behind them.

Every URL that a member can set goes through `read_url` when it is saved and again
when it is called; the addresses that its name has by then go through `check`.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import idna
from django.conf import settings

from merchant.providers.base import Unreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST = 2048
PORTS = frozenset({443, 8443})

#: Networks of IPv4 that are nobody's public server, and one that is a cloud's inside.
_REFUSED_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",
        "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip

#: All public IPv6 lives here, so that mapped, translated and local ones do not count.
_TAKEN_6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip

#: Names that mean something inside a network only.
_INSIDE = (
    "localhost", "local", "internal", "lan", "home.arpa", "localdomain", "onion",
    "arpa", "invalid", "test", "example", "intranet", "corp", "home", "private",
)  # fmt: skip

#: Scripts that one word may mix: Japanese, Korean and Chinese are written so.
_TOGETHER = (
    {"CJK", "HIRAGANA", "KATAKANA"},
    {"CJK", "HANGUL"},
    {"CJK", "BOPOMOFO"},
)

# Own expressions instead of urlsplit: two parsers that disagree are the attack.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(#.*)?"
)
_BRACKETED = re.compile(r"\[(?P<host>[0-9A-Fa-f:.]+)\](:(?P<port>[1-9][0-9]{0,4}))?")
_PLAIN = re.compile(r"(?P<host>[^:\[\]]+)(:(?P<port>[1-9][0-9]{0,4}))?")
_UNSEEN = re.compile("[\x00-\x20\x7f-\xa0\\\\\u2028\u2029\ud800-\udfff]")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class NotAllowed(ValueError):
    """A URL or address that must not be called; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `host` in ASCII and lower case, an IPv6 without brackets.

    `address` is set where the host is one. `sandbox`: it is our own imitation of the
    providers, which may live at a private address. `private`: whoever runs this
    process typed it, and may mean a server of their own.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None = None
    sandbox: bool = False
    private: bool = False

    @property
    def url(self) -> str:
        """The URL put together again, so that no other parser reads the original."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        port = "" if self.port == usual else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def check_url(url: str) -> None:
    """Raises NotAllowed, with a sentence, for a URL that must not be called.

    Looks at the text alone; the name's addresses are checked when it is called.
    """
    read_url(url)


def read_url(url: str, *, private: bool = False) -> Target:
    """The URL taken apart. Raises NotAllowed.

    `private`: it may be http and lead to any port of a private address. Only for what
    was typed at this machine's keyboard, never for what a member can set.
    """
    return _read(url, private, _rules())


@lru_cache(maxsize=1000)
def _read(url: str, private: bool, _rules: tuple[object, ...]) -> Target:
    """Depends on the text and the settings alone; a sender reads the same few again and
    again."""
    if len(url) > LONGEST:
        raise NotAllowed(f"The URL is longer than {LONGEST} characters.")
    if _UNSEEN.search(url):
        raise NotAllowed("The URL holds a space, a backslash or a control character.")
    found = _URL.fullmatch(url)
    if not found:
        raise NotAllowed("The URL must look like https://shop.example.com/hooks.")
    scheme = found["scheme"].lower()
    if scheme not in {"https", "http"}:
        raise NotAllowed("The URL must start with https://.")
    host, port, address = _authority(found["authority"], scheme)
    rest = found["rest"]
    path = quote(rest if rest.startswith("/") else f"/{rest}", safe="/?%:@!$&'()*+,;=~")
    sandbox = (scheme, host, port) == _origin(settings.SANDBOX_URL)
    target = Target(scheme, host, port, path, address, sandbox, private)
    _check_ours(target)
    if not (sandbox or private or settings.ALLOW_PRIVATE_ENDPOINTS):
        _check_public(target)
    return target


def check(address: Address, target: Target) -> None:
    """Raises NotAllowed when the target's host leads to an address it must not."""
    if target.port in _our_ports() and _is_local(address):
        raise NotAllowed(f"{target.host} leads back to this installation.")
    if target.sandbox or target.private or settings.ALLOW_PRIVATE_ENDPOINTS:
        return
    if not is_public(address):
        raise NotAllowed(f"{target.host} leads to an address that is not public.")


def is_public(address: Address) -> bool:
    """Whether somebody's public server can have the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_4)
    return address in _TAKEN_6 and not any(address in net for net in _REFUSED_6)


# ------------------------------------------------------------------------ the host
def _authority(authority: str, scheme: str) -> tuple[str, int, Address | None]:
    if "@" in authority:
        raise NotAllowed("The URL must not hold a user name or a password.")
    if "%" in authority:
        raise NotAllowed("The URL's host must not be percent-encoded.")
    found = _BRACKETED.fullmatch(authority) or _PLAIN.fullmatch(authority)
    if not found:
        raise NotAllowed("The URL's host or port cannot be read.")
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if port > 65535:
        raise NotAllowed("The URL's port is above 65535.")
    host = found["host"]
    if authority.startswith("["):
        address_6 = _address_6(host)
        return str(address_6), port, address_6
    if re.fullmatch("[0-9.]+", host):
        address_4 = _address_4(host)
        return str(address_4), port, address_4
    return _name(host), port, None


def _address_6(host: str) -> ipaddress.IPv6Address:
    try:
        return ipaddress.IPv6Address(host)
    except ValueError:
        raise NotAllowed("The URL's host is no IPv6 address.") from None


def _address_4(host: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        raise NotAllowed("Write the URL's host as four decimal numbers.") from None


def _name(host: str) -> str:
    """The name in ASCII. Nothing is mapped: it must be IDNA 2008 as it was typed."""
    labels = [_label(label) for label in host.split(".")]
    name = ".".join(labels)
    if len(name) > 253:
        raise NotAllowed("The URL's host is longer than 253 characters.")
    if _NUMBER.fullmatch(labels[-1]):
        raise NotAllowed("The URL's host is a number in disguise.")
    return name


def _label(typed: str) -> str:
    label = typed.lower() if typed.isascii() else typed
    try:
        word = idna.ulabel(label) if label.startswith("xn--") else label
        label = label if word.isascii() else idna.alabel(word).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise NotAllowed("The URL's host is not a valid name (IDNA 2008).") from None
    if not _LABEL.fullmatch(label) or (label[2:4] == "--" and label[:2] != "xn"):
        raise NotAllowed("The URL's host is not a valid name.")
    scripts = {_script(letter) for letter in word if letter.isalpha()}
    if len(scripts) > 1 and not any(scripts <= mix for mix in _TOGETHER):
        raise NotAllowed("The URL's host mixes letters of several scripts.")
    return label


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0].split("-")[0]


def _check_public(target: Target) -> None:
    if target.scheme != "https":
        raise NotAllowed("The URL must start with https://.")
    if target.port not in PORTS:
        raise NotAllowed("The URL's port must be 443 or 8443.")
    if target.host in {host for host, _ in _ours()}:
        raise NotAllowed(f"{target.host} is this installation itself.")
    if target.address is not None:
        check(target.address, target)
        return
    if "." not in target.host:
        raise NotAllowed("The URL's host needs a domain, like shop.example.com.")
    if any(target.host == end or target.host.endswith(f".{end}") for end in _INSIDE):
        raise NotAllowed(f"{target.host} is a name inside a network, not a public one.")


# --------------------------------------------------------------------- our own door
def _check_ours(target: Target) -> None:
    is_here = target.host == "localhost" or target.host.endswith(".localhost")
    at_our_port = is_here and target.port in _our_ports()
    if at_our_port or (target.host, target.port) in _ours():
        raise NotAllowed("The URL is this installation itself.")
    if target.address is not None and target.port in _our_ports():
        check(target.address, target)


@cache
def _origin(url: str) -> tuple[str, str, int] | None:
    if not url:
        return None
    parts = urlsplit(url)  # our own setting, not a member's text
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port


def _rules() -> tuple[object, ...]:
    """The settings on which it depends what may be called."""
    return (
        settings.ALLOW_PRIVATE_ENDPOINTS,
        settings.SANDBOX_URL,
        settings.PUBLIC_URL,
        settings.HOST,
        settings.PORT,
        PORTS,
    )


def _ours() -> set[tuple[str, int]]:
    """Host and port under which we are reached, and on which we listen."""
    public = _origin(settings.PUBLIC_URL)
    return {(settings.HOST, settings.PORT)} | ({public[1:]} if public else set())


def _our_ports() -> frozenset[int]:
    return _ports(_rules())


@lru_cache(maxsize=8)
def _ports(_rules: tuple[object, ...]) -> frozenset[int]:
    """Ports that lead to us at every address of this machine.

    PUBLIC_URL's counts only where no proxy stands at it: behind one, other servers of
    the merchant may share the address.
    """
    _, host, port = _origin(settings.PUBLIC_URL) or ("", "", 0)
    direct = host == "localhost" or bool(re.fullmatch(r"[0-9.]+|.*:.*", host))
    return frozenset({settings.PORT, port} if direct else {settings.PORT})


def _is_local(address: Address) -> bool:
    """Whether the address is one of this machine."""
    inner = getattr(address, "ipv4_mapped", None) or address
    if inner.is_loopback or inner.is_unspecified:
        return True
    family = socket.AF_INET if inner.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(inner), 0))  # only an own address can be bound
    except OSError:
        return False
    return True


# -------------------------------------------------------------------- the addresses
#: A name server that hangs must not pile up threads without end.
_ASKING = threading.BoundedSemaphore(32)


def resolve(target: Target, within: float) -> list[Address]:
    """The target's addresses, every one checked.

    Raises NotAllowed when any of them must not be called (one good answer among bad
    ones is a trap), Unreachable when the name has none within so many seconds.
    """
    if target.address is not None:
        check(target.address, target)
        return [target.address]
    found = _ask(target.host, target.port, within)
    for address in found:
        check(address, target)
    return found


def _ask(host: str, port: int, within: float) -> list[Address]:
    answers: list[Any] = []
    if not _ASKING.acquire(timeout=within):
        raise _unsent(f"the name {host} was not looked up: too many are waiting")

    def look_up() -> None:
        try:
            answers.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.append(error)
        finally:
            _ASKING.release()

    thread = threading.Thread(target=look_up, daemon=True, name="look-up")
    thread.start()
    thread.join(within)
    if not answers:
        raise _unsent(f"the name {host} was not resolved within {within:.0f} s")
    if isinstance(answers[0], Exception):
        raise _unsent(f"the name {host} cannot be resolved")
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in answers[0])
    if not texts:
        raise _unsent(f"the name {host} has no address")
    return [ipaddress.ip_address(text) for text in texts]


def _unsent(words: str) -> Unreachable:
    """Without an address nothing was sent to anybody."""
    return Unreachable(words, unsent=True)
