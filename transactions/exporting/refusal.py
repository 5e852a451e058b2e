"""Why an export cannot be asked for, kept or made: a sentence for who asked."""

from __future__ import annotations


class NotPossible(ValueError):
    """It cannot be done like that; `str()` says why, `field` what it is about."""

    def __init__(self, words: str, *, field: str = "", code: str = "invalid") -> None:
        super().__init__(words)
        self.field = field
        self.code = code
