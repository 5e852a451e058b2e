"""What every provider's test inherits: the door is shut to all but the right key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from inspect import signature
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant import connections, strict_json
from merchant.providers.base import (
    COLUMNS,
    BadSignature,
    Fact,
    Incoming,
    Keys,
    Provider,
    Unreadable,
)
from merchant.providers.connecting import URL

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

#: A test inherited by several classes is one test to hypothesis; we mean it.
GENTLY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)

#: NUL (as JSON escapes it, too) and half a surrogate pair.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]|\\\\u0000")

_leaves = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**19), max_value=10**19)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.text(max_size=12)
    | st.sampled_from(
        ["", "0", "-1", "usd", "2026-11-20T08:00:00Z", "\x00", "\ud800", "١٢"]
    )
)
json_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


class ProviderContract:
    """Inherit it, give the answers of the first block, and every door is tried.

    `sign` is the provider's own by default: give an independent computation where
    there is a simple one. Override `older_keys` and `stranger_keys` where keys are
    pairs (a private key signs, a public one verifies).
    """

    provider: Provider
    #: The signature covers a time, and deliveries more than `tolerance` off are stale.
    signs_time = True
    tolerance = timedelta(seconds=300)
    #: The signature covers the raw bytes, so the same JSON written anew is refused.
    signs_body = True

    def keys(self) -> Keys:
        """One live secret."""
        raise NotImplementedError

    def second_keys(self) -> Keys:
        """Two live secrets, the newest first, as during a rotation."""
        raise NotImplementedError

    def body(self) -> bytes:
        """A good raw body of a known event."""
        raise NotImplementedError

    def unknown_body(self) -> bytes:
        """Well-formed and complete, but of an event that nobody knows."""
        raise NotImplementedError

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        """The headers of a delivery, signed with the first of the keys."""
        return self.provider.sign(body, keys, at)

    def older_keys(self) -> Keys:
        """The sender's side of the older of `second_keys`."""
        both = self.second_keys()
        return replace(both, secrets=both.secrets[1:], public_keys=both.public_keys[1:])

    def stranger_keys(self) -> Keys:
        """Another tenant's keys: well-formed, and unknown to `keys`."""
        own, both = self.keys(), self.second_keys()
        return replace(
            own,
            secrets=tuple(s for s in both.secrets if s not in own.secrets)[:1],
            public_keys=tuple(k for k in both.public_keys if k not in own.public_keys)[
                :1
            ],
        )

    # ------------------------------------------------------- no need to override
    def incoming(
        self, body: bytes, headers: Mapping[str, str], received: datetime = NOW
    ) -> Incoming:
        """A delivery with its header names written as intake writes them."""
        named = {name.lower().replace("_", "-"): v for name, v in headers.items()}
        return Incoming(body=body, headers=named, received=received)

    def signed(
        self, body: bytes, *, keys: Keys | None = None, at: datetime = NOW
    ) -> Incoming:
        return self.incoming(body, self.sign(body, keys or self.keys(), at))

    def with_values(self, value: str) -> Incoming:
        """The good delivery with every header of its signature replaced."""
        headers = self.sign(self.body(), self.keys(), NOW)
        return self.incoming(self.body(), dict.fromkeys(headers, value))

    def refuse(self, incoming: Incoming, keys: Keys | None = None) -> BadSignature:
        with pytest.raises(BadSignature) as caught:
            self.provider.verify(incoming, keys or self.keys())
        assert str(caught.value), "the operator is told nothing"
        assert caught.value.code
        return caught.value

    # -------------------------------------------------------------------- the door
    def test_its_pages_know_what_to_ask_and_what_to_click(self) -> None:
        setup = self.provider.setup
        names = {asked.name for asked in (setup.key, *setup.asks)}
        assert names <= set(signature(connections.open_connection).parameters)
        assert len(names) == len(setup.asks) + 1
        assert setup.key.name in {"secret", "public_key"}
        assert any(URL in step.code for step in setup.steps)
        assert any(step.names for step in setup.steps) or setup.notes

    def test_a_good_signature_is_taken(self) -> None:
        words = self.provider.verify(self.signed(self.body()), self.keys())
        assert isinstance(words, str)
        assert words

    def test_a_changed_byte_is_refused(self) -> None:
        headers, body = self.sign(self.body(), self.keys(), NOW), self.body()
        for place in (0, len(body) // 2, len(body) - 1):
            changed = bytearray(body)
            changed[place] ^= 1
            error = self.refuse(self.incoming(bytes(changed), headers))
            assert not error.stale

    def test_an_appended_byte_is_refused(self) -> None:
        headers = self.sign(self.body(), self.keys(), NOW)
        if self.signs_body:
            self.refuse(self.incoming(self.body() + b" ", headers))
        self.refuse(self.incoming(self.body() + b"x", headers))

    def test_a_missing_header_is_refused(self) -> None:
        self.refuse(self.incoming(self.body(), {}))
        self.refuse(self.incoming(self.body(), {"content-type": "application/json"}))

    def test_an_empty_header_is_refused(self) -> None:
        self.refuse(self.with_values(""))
        self.refuse(self.with_values("  "))

    def test_a_garbage_header_is_refused(self) -> None:
        for garbage in ("x", "====", "sha256=", ",,,", "t=,v1=", "0" * 64, "A" * 5000):
            self.refuse(self.with_values(garbage))

    def test_a_header_that_is_not_ascii_is_refused(self) -> None:
        for value in ("é" * 64, "１２３", "\udcff", "\u0661" * 13, "\x00"):
            self.refuse(self.with_values(value))

    def test_a_header_of_another_case_is_taken(self) -> None:
        headers = self.sign(self.body(), self.keys(), NOW)
        shouted = {name.upper().replace("-", "_"): v for name, v in headers.items()}
        assert self.provider.verify(self.incoming(self.body(), shouted), self.keys())

    def test_an_old_timestamp_is_stale(self) -> None:
        self._off_by(-self.tolerance - timedelta(seconds=1))

    def test_a_future_timestamp_is_stale(self) -> None:
        self._off_by(self.tolerance + timedelta(seconds=2))

    def _off_by(self, distance: timedelta) -> None:
        late = self.signed(self.body(), at=NOW + distance)
        if not self.signs_time:  # a retry may come days later
            assert self.provider.verify(late, self.keys())
            return
        error = self.refuse(late)
        assert error.stale
        assert error.code == "stale"

    def test_a_stale_forgery_is_not_called_stale(self) -> None:
        old = NOW - self.tolerance - timedelta(hours=1)
        forged = self.signed(self.body(), keys=self.stranger_keys(), at=old)
        assert not self.refuse(forged).stale

    def test_a_timestamp_within_the_tolerance_is_taken(self) -> None:
        for distance in (-self.tolerance, self.tolerance, timedelta()):
            late = self.signed(self.body(), at=NOW + distance)
            assert self.provider.verify(late, self.keys())

    def test_an_empty_secret_is_a_closed_door(self) -> None:
        empty = replace(self.keys(), secrets=("",), public_keys=("",))
        self.refuse(self.signed(self.body()), empty)
        with suppress(Exception):  # signing with nothing may be impossible: fine
            forged = self.signed(self.body(), keys=empty)
            self.refuse(forged, empty)
            self.refuse(forged)

    def test_no_secret_is_a_closed_door(self) -> None:
        none = replace(self.keys(), secrets=(), public_keys=())
        assert self.refuse(self.signed(self.body()), none).code == "no_secret"

    def test_both_secrets_are_taken_during_a_rotation(self) -> None:
        both = self.second_keys()
        assert self.provider.verify(self.signed(self.body(), keys=both), both)
        old = self.signed(self.body(), keys=self.older_keys())
        assert self.provider.verify(old, both)

    def test_another_tenants_secret_is_refused(self) -> None:
        self.refuse(self.signed(self.body(), keys=self.stranger_keys()))

    def test_a_body_written_anew_is_refused_where_bytes_are_signed(self) -> None:
        headers = self.sign(self.body(), self.keys(), NOW)
        anew = json.dumps(json.loads(self.body()), indent=3).encode()
        assert anew != self.body()
        if self.signs_body:
            self.refuse(self.incoming(anew, headers))
        else:
            assert self.provider.verify(self.incoming(anew, headers), self.keys())

    @GENTLY
    @given(value=st.text(max_size=90), body=st.binary(max_size=200))
    def test_no_header_and_no_body_breaks_the_door(
        self, value: str, body: bytes
    ) -> None:
        names = self.sign(self.body(), self.keys(), NOW)
        for sent in (body, self.body()):
            with pytest.raises(BadSignature):
                self.provider.verify(
                    self.incoming(sent, dict.fromkeys(names, value)), self.keys()
                )
        for name in names:  # one wrong header among good ones
            headers = {**names, name: value}
            with suppress(BadSignature):
                self.provider.verify(self.incoming(self.body(), headers), self.keys())

    # ------------------------------------------------------------------ the reading
    def facts(self, body: bytes) -> list[Fact]:
        return self.provider.read(strict_json.parse(body), self.keys())

    def test_the_envelope_is_the_same_on_every_retry(self) -> None:
        payload = strict_json.parse(self.body())
        early, late = (
            self.provider.identify(self.signed(self.body(), at=at), payload)
            for at in (NOW, NOW + timedelta(minutes=4))
        )
        assert early == late
        assert early.event_id
        assert early.event_type

    def test_a_known_event_gives_facts_of_the_contract(self) -> None:
        facts = self.facts(self.body())
        assert facts
        check_facts(facts, self.provider)
        again = self.facts(self.body())
        assert [f.identity for f in facts] == [f.identity for f in again]

    def test_an_unknown_event_says_nothing(self) -> None:
        incoming = self.signed(self.unknown_body())
        assert self.provider.verify(incoming, self.keys())
        payload = strict_json.parse(self.unknown_body())
        envelope = self.provider.identify(incoming, payload)
        assert envelope.event_id
        assert self.facts(self.unknown_body()) == []
        for duplicate in (False, True):
            self.provider.reply(incoming, envelope, payload, duplicate)

    @GENTLY
    @given(payload=json_values)
    def test_no_json_breaks_the_reader(self, payload: Any) -> None:
        self._read_calmly(payload)

    @GENTLY
    @given(data=st.data())
    def test_no_single_wrong_value_breaks_the_reader(self, data: st.DataObject) -> None:
        payload = strict_json.parse(self.body())
        place = data.draw(st.sampled_from(places(payload)))
        for value in (data.draw(json_values), None, -1, "", [], {}, True, 10**30):
            self._read_calmly(with_value(payload, place, value))
        self._read_calmly(without(payload, place))

    def _read_calmly(self, payload: Any) -> None:
        incoming = self.signed(self.body())
        with suppress(Unreadable):
            self.provider.identify(incoming, payload)
        with suppress(Unreadable):
            check_facts(self.provider.read(payload, self.keys()), self.provider)


def check_facts(facts: list[Fact], provider: Provider) -> None:
    """Asserts that the facts keep to the providers' contract."""
    for fact in facts:
        assert fact.object_id, fact
        assert fact.status, fact
        for name, said in fact.says.items():
            assert name in COLUMNS[fact.topic], (fact.topic, name)
            assert said.value is not None
            json.dumps(said.value)  # what JSON can hold, no Decimal, no datetime
        if "money" in fact.says:
            minor, currency = fact.says["money"].value
            assert type(minor) is int
            assert minor >= 0 or fact.topic == "payout"
            assert currency == currency.lower()
        for kind, value in fact.references:
            assert kind in provider.references, kind
            assert isinstance(value, str)
            assert value
        assert -(2**63) <= fact.order < 2**63
        assert fact.at is None or fact.at.utcoffset() == timedelta()
        assert not _NO_TEXT.search(repr_of(fact)), "text that no database can keep"


def repr_of(fact: Fact) -> str:
    """Every text of the fact, one after another, unescaped."""
    said = {name: said.value for name, said in fact.says.items()}
    texts = (fact.object_kind, fact.object_id, fact.status, fact.summary)
    ids = [part for pair in fact.references for part in pair]
    wants = [part for want in fact.wants for part in (want.kind, want.id)]
    return "|".join([*texts, *ids, *wants, json.dumps(said, ensure_ascii=False)])


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a JSON value."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    found = [here] if here else []
    for key, item in inner:
        found += places(item, (*here, key))
    return found


def with_value(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """A copy of the JSON value with another value at that path."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = with_value(value[place[0]], place[1:], new)
    return copy


def without(value: Any, place: tuple[Any, ...]) -> Any:
    """A copy of the JSON value without what stands at that path."""
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = without(value[place[0]], place[1:])
    return copy
