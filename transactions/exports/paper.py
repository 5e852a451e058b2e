"""The file while it is being written: its digest, its size, and whether to go on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


class Stopped(Exception):
    """Whoever wanted the file does not want it any more; nothing is left of it."""


class Paper:
    """An open file that knows its SHA-256 and tells how far it is.

    `progress` is called with the rows that are written, `stopped` asked whether to go
    on, both every thousand rows or so.
    """

    def __init__(
        self,
        file: BinaryIO,
        progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._file = file
        self._progress = progress
        self._stopped = stopped
        self._digest = hashlib.sha256()
        self.size = 0
        self.rows = 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def sha256(self) -> str:
        """Of everything that has been written."""
        return self._digest.hexdigest()

    def done(self, rows: int) -> None:
        """So many more rows are written. Raises Stopped."""
        self.rows += rows
        self._progress(self.rows)
        self.check()

    def check(self) -> None:
        """Raises Stopped where nobody wants the file any more."""
        if self._stopped():
            raise Stopped


@dataclass(frozen=True, slots=True)
class Written:
    """What a format's writer did: see receipts.Receipt."""

    parts: int = 1
    data_sha256: str = ""
    data_is: str = "the file"
    missing_glyphs: int = 0
