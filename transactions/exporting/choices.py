"""What the dialog offers: formats, amounts, columns by their names, and how large a
file will be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from merchant.models import Member
from transactions import columns as on_screen
from transactions import layouts
from transactions.exporting.refusal import NotPossible
from transactions.exports.lists import TABLES
from transactions.filter_values import as_uuid
from transactions.models import ExportAmounts, ExportPreset

SCREEN, OWN = "screen", "own"
LONGEST_NAME, MOST_PRESETS = 60, 50
#: format -> what it is good for.
GOOD_FOR = {
    "csv": _lazy("For spreadsheets and accounting programs"),
    "xlsx": _lazy("For Excel and LibreOffice, amounts as numbers"),
    "pdf": _lazy("A report to read, print or hand on"),
    "jsonl": _lazy("For analytics tools, a row a line"),
}
#: How amounts are written -> an example says it quicker than words.
AMOUNTS = {
    "": _lazy("As the values have them"),
    ExportAmounts.DECIMAL.value: _lazy("Decimal: 19.99"),
    ExportAmounts.MINOR.value: _lazy("Minor units: 1999"),
}
#: Bytes of a file without rows, and of a row for each character that its columns are
#: wide and each column: measured on the demo's transactions.
SIZES = {
    "csv": (200, 0.78, 1.0),
    "jsonl": (0, 0.62, 14.0),
    "xlsx": (7_000, 0.13, 1.6),
    "pdf": (40_000, 0.30, 6.0),
}


def sets_of(member: Member, table: str) -> list[tuple[str, str]]:
    """(value, label) of each set of columns that can be chosen, the usual first."""
    known = TABLES[table].presets
    fixed = [
        (name, str(label)) for name, (label, _k) in known.items() if name != "default"
    ]
    kept = member.export_presets.filter(table=table)
    return [
        (SCREEN, _("As on screen")),
        *fixed,
        *((str(preset.pk), preset.name) for preset in kept),
        (OWN, _("Own choice")),
    ]


def columns_of(
    member: Member, table: str, chosen: str, own: Iterable[str] = ()
) -> tuple[str, ...]:
    """The keys of a set, in order. Raises NotPossible where there is no such set."""
    if chosen == OWN:
        keys = tuple(key for key in own if key in TABLES[table].columns)
        if not keys:
            raise NotPossible(_("Choose at least one column."), field="columns")
        return keys
    if chosen == SCREEN:
        return _as_on_screen(member, table)
    if chosen in TABLES[table].presets:
        return TABLES[table].preset(chosen)
    preset = _preset(member, chosen)
    if preset is None or preset.table != table:
        raise NotPossible(_("Choose which columns."), field="columns")
    return tuple(key for key in preset.columns if key in TABLES[table].columns)


def _as_on_screen(member: Member, table: str) -> tuple[str, ...]:
    """The columns of the member's list, with the id first so that files compare."""
    if table != "transactions":
        return TABLES[table].preset("default")
    shown = on_screen.of_layout(layouts.of(member)).keys
    known = TABLES[table].columns
    return ("id", *(key for key in shown if key in known and key != "id"))


# ------------------------------------------------------------------------------ presets
def keep(member: Member, table: str, name: str, keys: Sequence[str]) -> ExportPreset:
    """Keeps columns under a name; the same name is changed. Raises NotPossible."""
    clean = " ".join(name.split())
    if not clean or len(clean) > LONGEST_NAME:
        words = _("Give the columns a name of at most %d characters.")
        raise NotPossible(words % LONGEST_NAME, field="preset")
    presets = member.export_presets.filter(table=table)
    if presets.exclude(name=clean).count() >= MOST_PRESETS:
        raise NotPossible(_("That is too many saved columns."), field="preset")
    preset, _new = ExportPreset.objects.update_or_create(
        member=member, table=table, name=clean, defaults={"columns": list(keys)}
    )
    return preset


def drop(member: Member, id: UUID) -> bool:
    return bool(member.export_presets.filter(pk=id).delete()[0])


def _preset(member: Member, id: str) -> ExportPreset | None:
    known = as_uuid(id)
    return member.export_presets.filter(pk=known).first() if known else None


# ----------------------------------------------------------------------------- estimate
def size_words(table: str, keys: Sequence[str], format: str, rows: int) -> str:
    """About how large a file gets: "about 1.2 MB"."""
    chosen = TABLES[table].chosen(keys)
    whole, per_character, per_column = SIZES[format]
    wide = sum(column.width for column in chosen)
    row = wide * per_character + len(chosen) * per_column
    size = filesizeformat(round(whole + rows * row)).replace("\xa0", " ")
    return _("about %s") % size
