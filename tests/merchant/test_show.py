"""Money, times, ids and bodies are drawn exactly and escaped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from merchant.money import ISO_EXPONENTS, exponent
from merchant.templatetags import show


def draw(source: str, **context: object) -> str:
    return Template(source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (1999, "eur", "19.99"),
        (5, "usd", "0.05"),
        (123456789, "eur", "1,234,567.89"),
        (7255, "jpy", "7,255"),
        (12445, "kwd", "12.445"),
        (-1500, "eur", "\u221215.00"),
        (0, "eur", "0.00"),
    ],
)
def test_an_amount_shows_every_minor_unit(
    minor: int, currency: str, words: str
) -> None:
    assert show.digits(minor, currency) == words


@given(st.integers(-(10**13), 10**13), st.sampled_from(["eur", "usd", *ISO_EXPONENTS]))
def test_digits_can_be_read_back_to_the_minor_unit(minor: int, currency: str) -> None:
    plain = show.digits(minor, currency).replace(",", "").replace("\u2212", "-")
    whole, _, rest = plain.partition(".")
    assert len(rest) == exponent(currency)
    assert int(whole + rest) == minor


def test_an_unknown_amount_is_a_dash_and_not_a_zero() -> None:
    drawn = draw("{% money None 'eur' %}")
    assert "–" in drawn
    assert "not known" in drawn
    assert "0" not in drawn


def test_money_that_went_back_has_a_minus() -> None:
    assert "\u221215.00" in draw("{% money 1500 'eur' back=True %}")


def test_a_time_of_another_year_names_it() -> None:
    when = datetime(2020, 3, 1, 12, 5, tzinfo=UTC)
    assert "1 Mar 2020, 12:05" in draw("{% moment when %}", when=when)


def test_a_time_carries_its_moment_in_utc() -> None:
    when = datetime(2020, 3, 1, 12, 5, tzinfo=UTC)
    with timezone.override("Asia/Tokyo"):
        drawn = draw("{% moment when 'full' %}", when=when)
    assert 'datetime="2020-03-01T12:05:00+00:00"' in drawn
    assert "1 March 2020, 21:05:00 JST" in drawn


def test_a_fresh_time_also_says_how_long_ago() -> None:
    when = timezone.now() - timedelta(minutes=3, seconds=5)
    assert "3 minutes ago" in draw("{% moment when 'full' %}", when=when)


def test_an_id_is_whole_in_the_page() -> None:
    drawn = draw("{% copyable 'pi_1234567890abcdef' 'payment id' %}")
    assert 'data-copy="pi_1234567890abcdef"' in drawn
    assert 'aria-label="Copy payment id"' in drawn


def test_an_id_cannot_break_out_of_its_button() -> None:
    drawn = draw("{% copyable id 'id' %}", id='"><script>x</script>')
    assert "<script>" not in drawn


def test_a_long_id_is_cut_in_the_middle() -> None:
    assert show.short_id("pi_1234567890abcdef") == "pi_1234…abcdef"


@pytest.mark.parametrize(
    ("code", "name"), [("DE", "Germany"), ("ZZ1", "ZZ1"), ("", "")]
)
def test_a_country_has_a_name(code: str, name: str) -> None:
    assert show.country(code) == name


def test_a_body_is_laid_out_with_its_tokens_untouched() -> None:
    body = b'{"a":1.10,"b":[],"c":{"d":"x, {y}: \\"z\\""},"e":[1,2]}'
    laid = show.body_text(body)
    assert '"a": 1.10,' in laid
    assert '"x, {y}: \\"z\\""' in laid
    assert laid.count("\n") > 5


def test_a_body_that_is_no_json_stays_as_it_came() -> None:
    assert show.body_text(b"a=1&b=%00 \xff") == "a=1&b=%00 \ufffd"


def test_an_icon_says_nothing_to_a_screen_reader() -> None:
    assert 'aria-hidden="true"' in draw('{% icon "x-mark" %}')
