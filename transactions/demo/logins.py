"""The demo's people: one per role, with passwords that exist only here."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from merchant.access import ROLES
from merchant.models import Member, Merchant, User
from merchant.sandbox import private_file


@dataclass(frozen=True, slots=True)
class Login:
    role: str
    email: str
    password: str


_NAMES = {
    "owner": "Olive Harker",
    "admin": "Adil Benning",
    "finance": "Fiona Castell",
    "support": "Sami Lindgren",
    "developer": "Dana Okoro",
    "viewer": "Vito Marsh",
}


def path() -> Path:
    """Where the passwords are kept, readable by the owner of the files only."""
    return settings.DATA_DIR / "demo.json"


def make_members(merchant: Merchant) -> list[Login]:
    """A member for every role, each with a random password, noted in the file."""
    made = []
    for role in ROLES:
        login = Login(role, f"{role}@example.com", secrets.token_urlsafe(12))
        user = User.objects.create_user(
            email=login.email, password=login.password, name=_NAMES[role]
        )
        Member.objects.create(merchant=merchant, user=user, role=role)
        made.append(login)
    private_file.write(path(), _text(made))
    return made


def kept() -> list[Login]:
    """The logins in the file that exist in this database."""
    try:
        rows = json.loads(path().read_text())["logins"]
    except (OSError, ValueError, KeyError):
        return []
    found = [Login(**row) for row in rows]
    known = set(
        User.objects.filter(email__in=[login.email for login in found]).values_list(
            "email", flat=True
        )
    )
    return [login for login in found if login.email in known]


def _text(made: list[Login]) -> str:
    return json.dumps({"logins": [asdict(login) for login in made]}, indent=2) + "\n"
