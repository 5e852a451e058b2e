"""Subscriptions, trials and payouts: what stands beside the purchases, folded alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from merchant import bulk
from transactions import fold, outgoing, rendering
from transactions.models import Payout, Subscription, TimelineEntry

#: topic -> where its rows live, and the name of the timeline's link to them.
HOMES: dict[str, tuple[type[models.Model], str]] = {
    "subscription": (Subscription, "subscription"),
    "trial": (Subscription, "subscription"),
    "payout": (Payout, "payout"),
}

#: What makes a row of these one: (project, provider[, kind], the provider's id).
Name = tuple[Any, ...]


def record(
    entries: Sequence[TimelineEntry], *, announce: bool = True
) -> list[TimelineEntry]:
    """Enters the entries that are new, folds and writes their rows; returns the new."""
    fresh: list[TimelineEntry] = []
    for model, link in {home[1]: home for home in HOMES.values()}.values():
        mine = [entry for entry in entries if HOMES[entry.topic][0] is model]
        if mine:
            fresh += _record(model, link, mine, announce)
    return fresh


def refold(model: type[models.Model], link: str, ids: Sequence[UUID]) -> int:
    """Folds these rows again from their timelines; returns how many changed."""
    rows = _lock(model, {"pk__in": ids})
    timelines = _timelines(rows.values(), link)
    return _write(model, [(row, timelines[row.pk]) for row in rows.values()])


def _record(
    model: type[models.Model],
    link: str,
    entries: Sequence[TimelineEntry],
    announce: bool,
) -> list[TimelineEntry]:
    rows = _rows(model, entries)
    timelines = _timelines(rows.values(), link)
    before = {
        row.pk: rendering.standing_object(row) if timelines[row.pk] else None
        for row in rows.values()
    }
    fresh, moved = [], []
    for entry in entries:
        row = rows[_name(entry)]
        timeline = timelines[row.pk]
        known = next(
            (
                old
                for old in timeline
                if (old.connection_id, old.identity)
                == (entry.connection_id, entry.identity)
            ),
            None,
        )
        if known is None:
            setattr(entry, link, row)
            timeline.append(entry)
            fresh.append(entry)
        elif known.absorb(entry) and known.pk:
            moved.append(known)
    _write(model, [(row, timelines[row.pk]) for row in rows.values()])
    bulk.insert(TimelineEntry, [bulk.row_of(entry) for entry in fresh])
    if moved:
        TimelineEntry.objects.bulk_update(moved, ["at", "order", "rank"])
    if announce:
        for row in rows.values():
            mine = [entry for entry in fresh if getattr(entry, f"{link}_id") == row.pk]
            outgoing.announce_standing(row, before[row.pk], mine)
    return fresh


def _name(entry: TimelineEntry) -> Name:
    connection = entry.connection
    name: Name = (connection.project_id, connection.provider)
    if HOMES[entry.topic][0] is Subscription:
        name += (entry.topic,)
    return (*name, entry.object_id)


def _columns(model: type[models.Model], name: Name) -> dict[str, Any]:
    kinds = ("kind",) if model is Subscription else ()
    columns = ("project_id", "provider", *kinds, "provider_id")
    return dict(zip(columns, name, strict=True))


def _rows(
    model: type[models.Model], entries: Sequence[TimelineEntry]
) -> dict[Name, Any]:
    """The rows of the entries, made where missing, locked in ascending id."""
    first = {_name(entry): entry for entry in reversed(entries)}
    model._default_manager.bulk_create(
        [
            model(
                **_columns(model, name),
                connection=first[name].connection,
                status=first[name].status,
                created=first[name].at or first[name].received,
            )
            for name in sorted(first)
        ],
        ignore_conflicts=True,
    )
    names = {entry.object_id for entry in entries}
    projects = {entry.connection.project_id for entry in entries}
    found = _lock(model, {"provider_id__in": names, "project__in": projects})
    return {name: row for name, row in found.items() if name in first}


def _lock(model: type[models.Model], which: dict[str, Any]) -> dict[Name, Any]:
    rows = model._default_manager.select_for_update().filter(**which).order_by("pk")
    return {tuple(getattr(row, column) for column in _keys(model)): row for row in rows}


def _keys(model: type[models.Model]) -> tuple[str, ...]:
    kinds = ("kind",) if model is Subscription else ()
    return ("project_id", "provider", *kinds, "provider_id")


def _timelines(rows: Any, link: str) -> dict[UUID, list[TimelineEntry]]:
    found: dict[UUID, list[TimelineEntry]] = {row.pk: [] for row in rows}
    for entry in TimelineEntry.objects.filter(**{f"{link}__in": list(found)}):
        found[getattr(entry, f"{link}_id")].append(entry)
    return found


def _write(
    model: type[models.Model], timelines: Sequence[tuple[Any, list[TimelineEntry]]]
) -> int:
    known = {column.name for column in model._meta.concrete_fields}
    changed = 0
    for row, timeline in timelines:
        if not timeline:
            continue
        status, heard = fold.standing(timeline)
        columns = {
            name: _fitting(model, name, value)
            for name, value in heard.items()
            if name in known
        }
        columns |= {
            "status": status,
            "connection_id": min(entry.connection_id for entry in timeline),
            "sequence": len(timeline),
        }
        if any(getattr(row, name) != value for name, value in columns.items()):
            for name, value in columns.items():
                setattr(row, name, value)
            row.updated = timezone.now()
            row.save()
            changed += 1
    return changed


def _fitting(model: type[models.Model], name: str, value: Any) -> Any:
    """A text cut to what its column holds."""
    if isinstance(value, str):
        return value[: getattr(model._meta.get_field(name), "max_length", None)]
    return value
