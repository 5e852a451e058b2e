"""Makes a file, whole or not at all, and says what is in it."""

from __future__ import annotations

import glob
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from transactions.exports import to_csv, to_jsonl, to_pdf, to_xlsx
from transactions.exports.paper import Paper, Stopped, Written
from transactions.exports.receipts import Receipt
from transactions.exports.source import Picture, Source, picture
from transactions.exports.spec import Spec

__all__ = ["Receipt", "Stopped", "receipt_path", "remove", "write"]

WRITERS: dict[str, Callable[[Paper, Spec, Picture], Written]] = {
    "csv": to_csv.write,
    "xlsx": to_xlsx.write,
    "pdf": to_pdf.write,
    "jsonl": to_jsonl.write,
}
#: Formats that do not hold their receipt: it lies beside them.
BESIDE = ("csv", "jsonl")


def write(
    spec: Spec,
    rows: Source,
    path: Path,
    progress: Callable[[int], None] = lambda rows: None,
    stopped: Callable[[], bool] = lambda: False,
    begun: Callable[[int], None] = lambda total: None,
) -> Receipt:
    """Writes the file, of one moment's rows, and returns its receipt.

    `begun` is told once how many rows there will be, `progress` how many are written,
    `stopped` is asked in between whether to give up: then Stopped is raised. The file
    is there under its name only when it is whole and on the disk; whatever happens
    before leaves nothing. Of a CSV or JSON Lines the receipt lies beside it
    (`receipt_path`), and is there first.
    """
    with picture(spec, rows) as seen:
        begun(seen.total)
        with _whole(path) as file:
            paper = Paper(file, progress, stopped)
            paper.check()
            written = WRITERS[spec.format](paper, spec, seen)
            receipt = Receipt(
                spec=spec,
                rows=paper.rows,
                parts=written.parts,
                size=paper.size,
                sha256=paper.sha256,
                data_sha256=written.data_sha256 or paper.sha256,
                data_is=written.data_is,
                sums=seen.sums,
                missing_glyphs=written.missing_glyphs,
            )
            if spec.format in BESIDE:
                with _whole(receipt_path(path)) as beside:
                    beside.write(json.dumps(receipt.as_json(), indent=2).encode())
    return receipt


def receipt_path(path: Path) -> Path:
    """Where the receipt lies that is not in the file: sales.csv.receipt.json."""
    return path.with_name(f"{path.name}.receipt.json")


def remove(path: Path) -> None:
    """Removes the file, its receipt, and what a killed worker left of either."""
    for each in (path, receipt_path(path)):
        each.unlink(missing_ok=True)
        _clear(each)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A new file that gets its name when the block has ended well and it is on disk.

    Whoever is late, writing the same file since before, loses theirs.
    """
    _clear(path)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with unfinished.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _keep_name(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        left.unlink(missing_ok=True)


def _keep_name(folder: Path) -> None:
    """A name is on the disk when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
