"""One reading of a body, or none."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant import strict_json
from merchant.strict_json import NotStrict

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=30,
)


@given(VALUES)
def test_what_json_writes_comes_back(value: Any) -> None:
    assert strict_json.parse(json.dumps(value).encode()) == value
    assert strict_json.parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    try:
        strict_json.parse(body)
    except NotStrict:
        return


def test_a_fraction_is_a_decimal() -> None:
    assert strict_json.parse(b'{"a": 0.10}') == {"a": Decimal("0.10")}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1} {"a": 2}',
        b'{"a": 1, "a": 2}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"1" * 41 + b"}",
        b'{"a": 0.' + b"1" * 41 + b"}",
        b"[" * 34 + b"]" * 34,
        b"[" * 100_000,
        b"[" + b"1," * 10_001 + b"1]",
        b'{"a": "' + b"x" * 70_000 + b'"}',
        b'{"' + b"x" * 70_000 + b'": 1}',
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_two_readers_could_take_differently_is_refused(body: bytes) -> None:
    with pytest.raises(NotStrict):
        strict_json.parse(body)


def test_the_deepest_and_widest_that_may_be_is_read() -> None:
    assert strict_json.parse(b"[" * 32 + b"]" * 32)
    assert len(strict_json.parse(b"[" + b"1," * 9_000 + b"1]")) == 9_001
