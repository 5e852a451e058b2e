"""JSON Lines: one object a row, by the columns' keys, as programs take values.

Amounts are whole minor units (or, when decimals were asked for, texts: a JSON number
may be read as a float), times ISO 8601 in UTC, metadata an object; null is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from transactions.exports import kinds
from transactions.exports.kinds import Kind, Manner
from transactions.exports.paper import Paper, Written
from transactions.exports.source import Picture
from transactions.exports.spec import Spec
from transactions.exports.table import Column

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write(paper: Paper, spec: Spec, picture: Picture) -> Written:
    keys = [column.head or column.key for column in picture.columns]
    reads = [_value(column, spec.manner) for column in picture.columns]
    for rows in picture.rows():
        lines = [
            _encode(
                {
                    key: read(value, row[-1])
                    for key, value, read in zip(keys, row[:-1], reads, strict=True)
                }
            )
            for row in rows
        ]
        paper.write(("\n".join(lines) + "\n").encode())
        paper.done(len(rows))
    return Written()


def _value(column: Column, manner: Manner) -> Callable[[Any, str], Any]:
    kind = column.kind
    if kind in (Kind.YES, Kind.NUMBER) or (kind is Kind.MONEY and manner.in_minor):
        return lambda value, _code: value
    if kind is Kind.JSON:
        return lambda text, _code: json.loads(text) if text else {}
    written = kinds.writer(kind, manner, {})
    return lambda value, code: None if value is None else written(value, code)
