"""How tests ask the API: a client that sends a key along."""

from __future__ import annotations

from typing import Any

from django.test import Client

from merchant import keys
from merchant.models import Project


def key_client(project: Project, *scopes: str) -> Client:
    """A client whose requests carry a fresh key of the project."""
    _, text = keys.issue(project, scopes or ("read",))
    return Client(headers={"authorization": f"Bearer {text}"})


def listed(client: Client, **query: Any) -> list[str]:
    """The ids that the list answers with."""
    answer = client.get("/v1/transactions", query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]
