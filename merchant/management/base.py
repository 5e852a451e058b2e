"""What all our commands share: --json, and errors in one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Model
from django.utils.text import slugify

from merchant.vault import Locked

Row = TypeVar("Row", bound=Model)


class WrongUse(CommandError):
    """The command was called wrongly: exit status 2. Says in a sentence what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words, returncode=2)


class Failed(CommandError):
    """It could not be done: exit status 1. Says in a sentence what to do."""


class Command(BaseCommand):
    """A command that returns what it did; `--json` prints that on the last line.

    A command of ours writes `act(**options) -> dict`, and `say(result)` where the
    default "name: value" lines are not what a person wants to read.
    """

    requires_system_checks: list[str] = []
    #: Does it and returns what it did; takes the options by name.
    act: Callable[..., dict[str, Any]]

    def create_parser(
        self, prog_name: str, subcommand: str, **kwargs: Any
    ) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.error = _say_wrong_use  # type: ignore[method-assign]
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object on the last line"
        )
        return parser

    def execute(self, *args: Any, **options: Any) -> Any:
        """Runs it; called from a shell, an error is a sentence and an exit status."""
        try:
            return super().execute(*args, **options)
        except Exception as error:
            problem = _as_sentence(error)
            if problem is None or options.get("traceback"):
                raise
            if not getattr(self, "_called_from_command_line", False):
                raise problem from error
            self.stderr.write(str(problem))
            sys.exit(problem.returncode)

    def handle(self, *args: Any, **options: Any) -> None:
        result = self.act(**options)
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            self.say(result)

    def say(self, result: dict[str, Any]) -> None:
        for name, value in result.items():
            self.stdout.write(f"{name}: {value}")


def _as_sentence(error: Exception) -> CommandError | None:
    """The error as a sentence; None for a mistake of ours, which wants a trace."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, Locked | ImproperlyConfigured):
        return Failed(str(error))
    if isinstance(error, OperationalError | InterfaceError):
        return Failed(
            "The database at DATABASE_URL does not answer, or its tables are missing "
            f"(run: manage.py migrate). It says: {_first_line(error)}"
        )
    if isinstance(error, DatabaseError):
        return Failed(f"The database refused it: {_first_line(error)}")
    return None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _say_wrong_use(message: str) -> NoReturn:
    sys.stderr.write(f"{message[:1].upper()}{message[1:]}; --help lists the options.\n")
    sys.exit(2)


def one(model: type[Row], named: str) -> Row:
    """The row with this slug or id. Raises Failed and says what exists."""
    rows = model._default_manager.all()
    try:
        found = rows.filter(pk=UUID(named)).first()
    except ValueError:
        found = rows.filter(slug=named).first()
    if found is None:
        slugs = list(rows.order_by("slug").values_list("slug", flat=True)[:10])
        known = f"There are: {', '.join(slugs)}." if slugs else "There is none yet."
        raise Failed(f"No {model._meta.verbose_name} is called {named!r}. {known}")
    return found


def free_slug(model: type[Model], name: str, wanted: str) -> str:
    """A slug nobody has: `wanted` as it is, or made from the name. Raises Failed."""
    rows = model._default_manager.all()
    if wanted:
        if slugify(wanted) != wanted:
            raise WrongUse("--slug takes lower-case letters, digits and hyphens only.")
        if rows.filter(slug=wanted).exists():
            raise Failed(f"The slug {wanted!r} is taken; choose another with --slug.")
        return wanted
    stem = slugify(name)[:40] or str(model._meta.verbose_name)
    slug, number = stem, 1
    while rows.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug


def from_stdin(value: str) -> str:
    """The value, or the first line of standard input where it is "-": a secret on a
    command line can be read by every user of the machine."""
    return sys.stdin.readline().strip() if value == "-" else value


def from_file(path: str) -> str:
    """The text of a file ("-" is standard input, "" stays ""). Raises WrongUse."""
    if not path:
        return ""
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise WrongUse(f"The file {path} cannot be read as text.") from None
