"""Where the files lie, how they are opened, and when they go.

They never leave DATA_DIR/exports but through `open_file`, which looks at who asks.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit
from merchant.access import may
from merchant.models import ApiKey, Member
from transactions.exporting import seen
from transactions.exporting.lists import LISTS
from transactions.exporting.refusal import NotPossible
from transactions.exports import writing
from transactions.exports.spec import FORMATS, masks
from transactions.models import Export

#: What nobody knows any more after this many seconds goes: a worker died over it.
ORPHANED = 3600.0
#: Expired files that go in one round.
MOST_TIDIED = 200


class Opened(NamedTuple):
    """A file for a download: what it is called there, its media type and its size."""

    file: BinaryIO
    name: str
    type: str
    size: int


def folder() -> Path:
    """Made on first use; readable by us alone."""
    found = Path(settings.DATA_DIR) / "exports"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def open_file(
    by: Member | ApiKey, export: Export, *, http: HttpRequest | None = None
) -> Opened:
    """The file, for who may see now all that is in it.

    Raises Export.DoesNotExist where they may not, PermissionError where their role
    does not export any more, NotPossible where there is no file (any more).
    """
    visible = seen.visible_to(by) if isinstance(by, Member) else seen.of_key(by)
    export = visible.get(pk=export.pk)
    if isinstance(by, Member):
        for right in ("export", LISTS[export.listing].right):
            if not may(by.role, right):
                raise PermissionError(right)
        if masks(by.role) and not (export.receipt or {}).get("masked"):
            raise PermissionError("view_customers")
    if not export.has_file(timezone.now()):
        raise NotPossible(_("There is no file (any more). Run the export again."))
    path = folder() / export.file
    try:
        file = path.open("rb")
    except FileNotFoundError:
        words = _("The file is gone from the disk. Run the export again.")
        raise NotPossible(words) from None
    actor = by if isinstance(by, Member) else f"API key {by}"
    audit.note(
        actor, "export.downloaded", export, merchant=export.merchant,
        detail={"sha256": export.sha256}, request=http,
    )  # fmt: skip
    return Opened(file, name_of(export), FORMATS[export.format][1], export.size or 0)


def name_of(export: Export) -> str:
    """What it is called in a download: transactions-2026-11-24-0930.csv."""
    made = (export.finished or export.created).astimezone(ZoneInfo(export.time_zone))
    return f"{export.table}-{made:%Y-%m-%d-%H%M}.{FORMATS[export.format][0]}"


def receipt_bytes(export: Export) -> bytes:
    """The receipt as the file that lies beside one that cannot hold it."""
    return json.dumps(export.receipt, indent=2, ensure_ascii=False).encode()


def remove(name: str) -> None:
    """Nothing happens where it is gone already."""
    if not name:
        return
    writing.remove(folder() / name)


def remove_unfinished(export: Export) -> None:
    """What a worker left that died over this export."""
    for path in folder().glob(f".{export.pk}-*"):
        path.unlink(missing_ok=True)


def tidy() -> int:
    """Removes files past their time and what dead workers left; returns how many."""
    expired = Export.objects.filter(expires__lte=timezone.now()).exclude(file="")
    rows: list[Any] = list(expired.values_list("pk", "file")[:MOST_TIDIED])
    for pk, name in rows:
        remove(name)
        Export.objects.filter(pk=pk, file=name).update(file="")
    return len(rows) + _tidy_orphans()


def _tidy_orphans() -> int:
    old = time.time() - ORPHANED
    gone = 0
    known = set(Export.objects.exclude(file="").values_list("file", flat=True))
    for path in folder().iterdir():
        name = path.name.removesuffix(".receipt.json")
        with suppress(FileNotFoundError):
            if name not in known and path.stat().st_mtime < old:
                path.unlink()
                gone += 1
    return gone
