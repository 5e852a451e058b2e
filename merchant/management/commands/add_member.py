"""Lets a person in: a member of a merchant with a role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.core.validators import validate_email
from django.db import transaction

from merchant import audit
from merchant.access import ROLES
from merchant.management import base
from merchant.models import Member, Merchant, User


class Command(base.Command):
    help = "Adds a member; a user who exists already is joined and keeps the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--merchant", required=True, help="slug or id")
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", required=True, choices=ROLES)
        parser.add_argument(
            "--password", default="", help='needed for a new user; "-" reads it'
        )

    def act(
        self, *, merchant: str, email: str, role: str, password: str, **_options: Any
    ) -> dict[str, Any]:
        business = base.one(Merchant, merchant)
        with transaction.atomic():
            user = self._user(email, base.from_stdin(password))
            if Member.objects.filter(merchant=business, user=user).exists():
                raise base.Failed(f"{user.email} is a member of {business} already.")
            member = Member.objects.create(merchant=business, user=user, role=role)
            detail = {"email": user.email, "role": role}
            audit.note(
                "command", "member.added", member, merchant=business, detail=detail
            )
        return {"id": str(member.id), "slug": business.slug, **detail}

    def _user(self, email: str, password: str) -> User:
        email = email.strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise base.WrongUse(f"{email!r} is no e-mail address.") from None
        found = User.objects.filter(email=email).first()
        if found:
            return found
        if not password:
            raise base.WrongUse("A new user needs a --password.")
        self._warn_of_weak(password, email)
        return User.objects.create_user(email, password)

    def _warn_of_weak(self, password: str, email: str) -> None:
        """Who runs this command owns the machine, so a weak password is said, not
        refused; the pages refuse it."""
        try:
            validate_password(password, User(email=email))
        except ValidationError as error:
            self.stderr.write(f"Change this password soon. {' '.join(error.messages)}")
