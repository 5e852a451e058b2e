"""What a filter's values mean: a text in, its meaning out, or a sentence why not.

Every reader raises ValueError with a sentence for the person who typed the value. The
sentence does not repeat the value: it may be somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from merchant import moments, money
from merchant.models import Member, Project

LONGEST = 300
#: Through whose eyes rows are seen: a member's, or those of a project's API key.
Eyes = Member | Project

_YES = frozenset({"true", "1", "live", "on", "yes"})
_NO = frozenset({"false", "0", "test", "off", "no"})
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose list it is: the projects that may be named, and where a day starts.

    `own_zone`: it is the person's, so no project changes it. `since` and `until`: the
    times of creation that are looked at, if it was said.
    """

    projects: Sequence[Project]
    zone: tzinfo
    own_zone: bool = False
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, eyes: Eyes, projects: Sequence[Project]) -> Scope:
        if isinstance(eyes, Project):
            return cls(projects, zone_named(eyes.time_zone))
        return cls.of_member(eyes, projects)

    @classmethod
    def of_member(cls, member: Member, projects: Sequence[Project]) -> Scope:
        """The member's own zone, or for who has none the project's where it is one."""
        own = member.user.time_zone
        scope = cls(projects, zone_named(own), own_zone=bool(own))
        return scope.within(projects if len(projects) == 1 else [])

    @property
    def project_ids(self) -> list[UUID]:
        return [project.pk for project in self.projects]

    def within(self, chosen: Sequence[Project]) -> Scope:
        """The same, when only these projects are looked at."""
        if not chosen:
            return self
        zone = self.zone
        if len(chosen) == 1 and not self.own_zone:
            zone = zone_named(chosen[0].time_zone)
        return replace(self, projects=chosen, zone=zone)

    def between(self, since: datetime | None, until: datetime | None) -> Scope:
        """The same, when only purchases of that time are looked at."""
        return replace(self, since=since, until=until)


Reader = Callable[[str, Scope], object]


def zone_named(name: str) -> tzinfo:
    """The time zone, or UTC where the name is empty or unknown."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def plain_text(value: str, scope: Scope) -> str:
    if len(value) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if "\x00" in value:
        raise ValueError("holds a character that is no text")
    return value


def one_of(words: Sequence[str]) -> Reader:
    """A reader of words from a list, in any case."""
    listed = ", ".join(words)

    def read(value: str, scope: Scope) -> str:
        word = value.lower()
        if word not in words:
            raise ValueError(f"must be one of: {listed}")
        return word

    return read


def yes_or_no(yes: str = "", no: str = "") -> Reader:
    """A reader of true and false; the words say what they mean here."""
    meaning = f"true ({yes}) or false ({no})" if yes else "true or false"

    def read(value: str, scope: Scope) -> bool:
        word = value.lower()
        if word not in _YES | _NO:
            raise ValueError(f"must be {meaning}")
        return word in _YES

    return read


def project(value: str, scope: Scope) -> Project:
    """By its short name or id, among those that may be seen."""
    for known in scope.projects:
        if value in (known.slug, str(known.pk)):
            return known
    raise ValueError("is the short name or id of none of your projects")


def currency(value: str, scope: Scope) -> str:
    try:
        return money.currency_code(value)
    except money.NotMoney:
        raise ValueError("must be a currency code such as eur") from None


def country(value: str, scope: Scope) -> str:
    if not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise ValueError("must be a country code of two letters such as DE")
    return value.upper()


def minor_units(value: str, scope: Scope) -> int:
    if not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number of minor units: 1999 for 19.99")
    return int(value)


def moment(value: str, scope: Scope) -> datetime:
    """ISO 8601 or Unix seconds, in UTC; a bare day is its start in the scope's zone."""
    return moments.read(value, scope.zone)


def as_uuid(value: str) -> UUID | None:
    """The id that the text spells in the usual way, or None."""
    try:
        return UUID(value) if len(value) == 36 else None
    except ValueError:
        return None
