"""What the body of a request asks for: JSON or a form, in one spelling, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from merchant import brackets
from merchant.api_errors import Problem

#: Stripe's limits of `metadata`; its SDKs expect no other.
METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500

_TRUE, _FALSE = ("true", "1"), ("false", "0")


class JsonBody(JSONParser):
    """JSON that the rest of the house can handle: not nested beyond what a reader
    bears, and no half of a character in any of its texts or names."""

    def parse(self, *given: Any, **named: Any) -> Any:
        """The value. Raises ParseError, and Problem which names the place."""
        try:
            value = super().parse(*given, **named)
            _look_through(value)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        return value


def _look_through(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        words = "holds a character that is no text"
        if place := _broken_at(value):
            raise wrong(place, words) from None
        raise ParseError(f"The body {words}.") from None


def _broken_at(value: Any, place: str = "") -> str:
    """Where half of a character stands, such as metadata[a]; what holds it, where it
    stands in a name; "" where it does not, or in a name of the body itself."""
    if isinstance(value, str):
        return "" if _is_kept(value.replace("\x00", "")) else place
    if isinstance(value, list):
        return next(filter(None, (_broken_at(each, place) for each in value)), "")
    if not isinstance(value, dict):
        return ""
    for name, each in value.items():
        if not _is_kept(name.replace("\x00", "")):
            return place
        if found := _broken_at(each, f"{place}[{name}]" if place else name):
            return found[:100]
    return ""


def read(request: Request, known: Collection[str] | None) -> dict[str, Any]:
    """The body as an object. Raises Problem, also for a name that is not `known`; None
    passes over what is not."""
    data = request.data
    given = brackets.nest(data.lists()) if isinstance(data, QueryDict) else data
    if not isinstance(given, dict):
        raise Problem("The body must be an object.", "request_unreadable")
    for name in given:
        if known is not None and name not in known:
            shown = str(name)[:60]
            message = f"There is no parameter {shown!r} here; see /v1/docs."
            raise Problem(message, "parameter_unknown", param=shown)
    return given


def text(given: Mapping[str, Any], name: str, most: int) -> str | None:
    """One text without line breaks; "" for null, None where it is not given."""
    if name not in given:
        return None
    value = "" if given[name] is None else given[name]
    if not isinstance(value, str) or not (value == "" or value.isprintable()):
        raise wrong(name, "must be a text on one line")
    if len(value) > most:
        raise wrong(name, f"has at most {most} characters")
    return value.strip()


def yes_or_no(given: Mapping[str, Any], name: str) -> bool | None:
    """True or false, as JSON or as a form says it; None where it is not given."""
    value = given.get(name)
    if value in (None, ""):
        return None
    word = str(value).lower()
    if word not in (*_TRUE, *_FALSE):
        raise wrong(name, "must be true or false")
    return word in _TRUE


def whole(given: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    """A whole number within limits; None where it is not given."""
    value = given.get(name)
    if value in (None, ""):
        return None
    digits = str(value) if not isinstance(value, bool | float) else ""
    fits = digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))
    if not (fits and least <= int(digits) <= most):
        raise wrong(name, f"must be a whole number from {least} to {most}")
    return int(digits)


def texts(given: Mapping[str, Any], name: str, most: int) -> list[str] | None:
    """A list of short texts; None where it is not given."""
    if given.get(name) is None:
        return None
    value = given[name]
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or len(found) > most:
        raise wrong(name, f"must be a list of at most {most} texts")
    if not all(isinstance(part, str) and len(part) <= 100 for part in found):
        raise wrong(name, "must be a list of short texts")
    return [part for part in found if part]


def metadata(given: Mapping[str, Any], name: str = "metadata") -> dict[str, Any] | None:
    """Keys and values to set, None for a key that is to go; None where nothing was
    given. As with Stripe, an empty value takes its key away (see also `is_cleared`)."""
    value = given.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, dict) or len(value) > METADATA_KEYS:
        raise wrong(name, f"must be an object of at most {METADATA_KEYS} keys")
    for key, said in value.items():
        place = f"{name}[{key[:METADATA_KEY]}]"
        if not (0 < len(key) <= METADATA_KEY and key.isprintable()):
            raise wrong(place, f"must be named in 1 to {METADATA_KEY} characters")
        if said is not None and not isinstance(said, str | int | float | bool):
            raise wrong(place, "must be a text, a number, true or false")
        if len(str(said)) > METADATA_VALUE:
            raise wrong(place, f"has at most {METADATA_VALUE} characters")
        if not _is_kept(said):
            raise wrong(place, "cannot be kept as it is")
    return {key: None if said == "" else said for key, said in value.items()}


def is_cleared(given: Mapping[str, Any], name: str = "metadata") -> bool:
    """Whether all of it is to go: it was given, and as nothing."""
    return name in given and given[name] in (None, "")


def wrong(param: str, why: str) -> Problem:
    """`param` and what is wrong with it, as the answer."""
    return Problem(f"{param} {why}.", "parameter_invalid", param=param)


def _is_kept(value: object) -> bool:
    """Whether the database can keep it: no NUL, no half of a character, no infinity."""
    if isinstance(value, float):
        return math.isfinite(value)
    letters = value if isinstance(value, str) else ""
    return not any(x == "\x00" or "\ud800" <= x <= "\udfff" for x in letters)
