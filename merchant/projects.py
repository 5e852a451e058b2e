"""Verbs on projects: add one to a merchant, change what is set for it."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.utils.text import slugify

from merchant.models import Merchant, Project

LONGEST_NAME = 120


class NotUsable(ValueError):
    """What was given cannot be set for a project; `str()` says why, `field` of what."""

    def __init__(self, words: str, field: str) -> None:
        super().__init__(words)
        self.field = field


def add(
    merchant: Merchant, name: str, *, time_zone: str = "UTC", slug: str = ""
) -> Project:
    """A new project; its slug is made from the name if none is given, and stays.

    A given slug must be free. Raises NotUsable.
    """
    name, zone = _read_name(name), _read_zone(time_zone)
    return Project.objects.create(
        merchant=merchant, name=name, slug=slug or free_slug(name), time_zone=zone
    )


def change(
    project: Project, *, name: str, time_zone: str, honour_callbacks: bool
) -> dict[str, list[Any]]:
    """What is set for the project from now on; returns {name: [before, after]}.

    Raises NotUsable.
    """
    told = {
        "name": _read_name(name),
        "time_zone": _read_zone(time_zone),
        "honour_callbacks": honour_callbacks,
    }
    with transaction.atomic():
        now = Project.objects.select_for_update().get(pk=project.pk)
        changed = {
            key: [getattr(now, key), value]
            for key, value in told.items()
            if getattr(now, key) != value
        }
        for key, value in told.items():
            setattr(project, key, value)
        if changed:
            project.save(update_fields=list(changed))
    return changed


def free_slug(name: str) -> str:
    """A slug made from the name that no project of this installation has."""
    stem = slugify(name)[:40] or "project"
    slug, number = stem, 1
    while Project.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug


def _read_name(given: str) -> str:
    name = given.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        words = f"The name is one line of 1 to {LONGEST_NAME} characters."
        raise NotUsable(words, "name")
    return name


def _read_zone(given: str) -> str:
    zone = given.strip()
    if zone not in available_timezones():
        words = f"No time zone is called {zone!r}; write one like Europe/Berlin."
        raise NotUsable(words, "time_zone")
    return zone
