"""One file written once, by us or by a peer, in a process of its own: its clock.

    python -m bench.write_once NAME ROWS

prints a JSON object: seconds, bytes, and how many MiB the process grew to above what it
was before the first row.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
django.setup()

import openpyxl  # noqa: E402
import rustpy_xlsxwriter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db.models import QuerySet  # noqa: E402
from django.utils import timezone  # noqa: E402
from import_export import fields, resources  # noqa: E402
from reportlab import rl_config  # noqa: E402
from reportlab.pdfgen.canvas import Canvas  # noqa: E402

from transactions.exports import fonts, to_csv, to_pdf, writing  # noqa: E402
from transactions.exports.lists import headings  # noqa: E402
from transactions.exports.pages import LINE, MARGIN, SIZE  # noqa: E402
from transactions.exports.paper import Paper  # noqa: E402
from transactions.exports.source import Picture, Source, picture  # noqa: E402
from transactions.exports.spec import Spec  # noqa: E402
from transactions.models import Transaction  # noqa: E402

#: The twenty columns of the goals.
COLUMNS = (
    "id", "customer", "product", "status", "method", "provider", "created", "amount",
    "currency", "paid", "refunded", "fee", "net", "fulfilment", "email", "country",
    "project", "order_reference", "description", "provider_id",
)  # fmt: skip
#: What a page has room for on one line.
OF_PDF = (
    "id", "customer", "product", "status", "method", "provider", "created", "amount",
    "currency",
)  # fmt: skip


def spec(format: str) -> Spec:
    return Spec(
        table="transactions",
        format=format,  # type: ignore[arg-type]
        columns=OF_PDF if format == "pdf" else COLUMNS,
        zone="Europe/Berlin",
        made_at=timezone.now(),
    )


def chosen(rows: int) -> QuerySet[Transaction]:
    """The newest so many: all of them where there are no more, so that nobody has to
    look for where they end."""
    every = Transaction.objects.filter(parked=False)
    if every.count() <= rows:
        return every
    last = every.order_by("-created", "-id").values("created", "id")[rows - 1]
    return every.filter(created__gt=last["created"])


# ------------------------------------------------------------------------- ours
def ours(format: str) -> Callable[[Path, Source], None]:
    return lambda path, rows: void(writing.write(spec(format), rows, path))


def by_python(path: Path, rows: Source) -> None:
    """Our CSV where there is no PostgreSQL: the iterator and csv.writer."""
    with picture(spec("csv"), rows) as seen, path.open("wb") as file:
        paper = Paper(file, void, lambda: False)
        to_csv.written(paper, spec("csv"), seen)


def void(_: object) -> None:
    pass


# ------------------------------------------------------------------------- floors
def psql(path: Path, rows: Source) -> None:
    """`psql COPY` of the same query, without a word of formatting."""
    with picture(spec("csv"), rows) as seen:
        names = ", ".join(f"c{at}" for at in range(len(seen.columns)))
        with seen.connection.cursor() as cursor:
            statement = cursor.mogrify(*seen.select(names))
    target = settings.DATABASES["default"]
    address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**target)
    copy = f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER)"
    with path.open("wb") as file:
        subprocess.run(["psql", address, "-qc", copy], stdout=file, check=True)


def bare_canvas(path: Path, rows: Source) -> Callable[[], None]:
    """The same texts at the same places; nothing is measured, cut or ruled."""
    given = spec("pdf")
    with picture(given, rows) as seen:
        texts = [to_pdf.cell_text(c, given.manner) for c in seen.columns]
        width, height = to_pdf.PAGE
        places = to_pdf.placed(seen.columns, width - 2 * MARGIN)
        lines = [
            [
                "" if value is None else text(value, row[-1])
                for value, text in zip(row[:-1], texts, strict=True)
            ]
            for chunk in seen.rows()
            for row in chunk
        ]
    fonts.main()

    rl_config.useA85 = 1  # as it comes

    def draw() -> None:
        canvas = Canvas(str(path), pagesize=to_pdf.PAGE, pageCompression=1)
        y = 0.0
        for cells in lines:
            if y < MARGIN + LINE:
                if y:
                    canvas.showPage()
                canvas.setFont(fonts.MAIN, SIZE)
                y = height - MARGIN
            for place in places:
                canvas.drawString(place.x, y, cells[place.at])
            y -= LINE
        canvas.save()

    return draw


# ------------------------------------------------------------------------- peers
def _typed(seen: Picture) -> Iterator[list[Any]]:
    """Rows with money as numbers and times without a zone, as Excel wants them."""
    kinds = [column.kind.value for column in seen.columns]
    for chunk in seen.rows():
        for row in chunk:
            yield [
                value / 100 if kind == "money" and value is not None
                else value.replace(tzinfo=None) if kind == "time" and value
                else value
                for kind, value in zip(kinds, row[:-1], strict=True)
            ]  # fmt: skip


def rustpy(path: Path, rows: Source) -> None:
    with picture(spec("xlsx"), rows) as seen:
        heads = headings(seen.spec)
        records = (dict(zip(heads, row, strict=True)) for row in _typed(seen))
        rustpy_xlsxwriter.FastExcel(str(path)).sheet("Data", records).save()


def write_only(path: Path, rows: Source) -> None:
    """openpyxl, in its mode for large files."""
    with picture(spec("xlsx"), rows) as seen:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Data")
        sheet.append(headings(seen.spec))
        for row in _typed(seen):
            sheet.append(row)
        book.save(path)


class Purchases(resources.ModelResource):
    """As one would write it: fields of the row and of the project."""

    project = fields.Field("project__name")

    class Meta:
        model = Transaction
        fields = (
            "id", "customer_name", "description", "status", "method", "method_brand",
            "provider", "created", "amount", "currency", "paid", "amount_refunded",
            "fee", "net", "fulfilment", "customer_email", "customer_country",
            "project", "order_reference", "provider_id",
        )  # fmt: skip


def import_export(path: Path, rows: Source) -> None:
    (every,) = rows.strands
    found = every.select_related("project").order_by("-created", "-id")
    path.write_text(Purchases().export(found).csv)


def iterator(path: Path, rows: Source) -> None:
    """Django's own iterator and csv.writer, no formatting."""
    (every,) = rows.strands
    names = (*Purchases.Meta.fields[:17], "project__name", *Purchases.Meta.fields[18:])
    found = every.order_by("-created", "-id").values_list(*names)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(found.iterator(chunk_size=2_000))


WAYS: dict[str, Callable[[Path, Source], Any]] = {
    "csv": ours("csv"),
    "csv-python": by_python,
    "psql": psql,
    "iterator": iterator,
    "import-export": import_export,
    "xlsx": ours("xlsx"),
    "rustpy": rustpy,
    "openpyxl": write_only,
    "pdf": ours("pdf"),
    "canvas": bare_canvas,
    "jsonl": ours("jsonl"),
}


def main(name: str, rows: int) -> None:
    given = Source([chosen(rows)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        way = WAYS[name]
        # What is loaded once for all files, such as fonts, is part of an idle worker.
        nothing = Source([Transaction.objects.filter(pk=None)])
        prepared = way(path, nothing)
        if callable(prepared):
            prepared()
            prepared = way(path, given)
        idle, start = _peak(), time.perf_counter()
        if callable(prepared):
            prepared()
        else:
            way(path, given)
        seconds = time.perf_counter() - start
        print(
            json.dumps(
                {
                    "seconds": seconds,
                    "bytes": path.stat().st_size,
                    "above_idle": _peak() - idle,
                }
            )
        )


def _peak() -> float:
    """The most memory that this process has had so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
