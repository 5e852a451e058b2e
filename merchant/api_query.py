"""What every list of the API is asked in the same way: how many, and from where."""

from __future__ import annotations

from collections.abc import Collection

from merchant.api_errors import Problem

MOST = 100
PAGING = ("limit", "starting_after", "ending_before")

#: name -> values, as merchant.brackets.gather gives them.
Query = dict[str, list[str]]


def limit_of(query: Query, usual: int) -> int:
    """How many rows are wanted; `usual` where nothing was said. Raises Problem."""
    text = single(query, "limit")
    if text is None:
        return usual
    known = text.isascii() and text.isdigit() and len(text) <= len(str(MOST))
    if not (known and 1 <= int(text) <= MOST):
        message = f"limit must be a whole number from 1 to {MOST}."
        raise Problem(message, "parameter_invalid", param="limit")
    return int(text)


def single(query: Query, param: str) -> str | None:
    """The parameter's one value, None where it is absent or empty. Raises Problem."""
    texts = [text for text in query.get(param, []) if text]
    if len(texts) > 1:
        message = f"{param} takes at most one value."
        raise Problem(message, "parameter_invalid", param=param)
    return texts[0] if texts else None


def cursors(query: Query) -> tuple[str | None, str | None]:
    """starting_after and ending_before, of which one at most is given."""
    after, before = single(query, "starting_after"), single(query, "ending_before")
    if after and before:
        message = "Give starting_after or ending_before, not both."
        raise Problem(message, "parameter_invalid", param="ending_before")
    return after, before


def yes_or_no(query: Query, param: str) -> bool | None:
    """True or false; None where it is absent. Raises Problem."""
    text = single(query, param)
    if text not in (None, "true", "false"):
        message = f"{param} must be true or false."
        raise Problem(message, "parameter_invalid", param=param)
    return None if text is None else text == "true"


def refuse_unknown(query: Query, known: Collection[str]) -> None:
    """A misspelt filter that went unnoticed would give a list of something else."""
    for name in query:
        if name not in known:
            shown = name[:60]
            message = f"There is no parameter {shown!r} here; see /v1/docs."
            raise Problem(message, "parameter_unknown", param=shown)
