"""What a first visit weighs: the page and everything it loads, compressed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from merchant.models import Project
from tests.factories import make_item, make_transaction

pytestmark = pytest.mark.django_db

KIB = 1024


def assets(page: str) -> dict[str, int]:
    """Every file that the page loads -> its weight as it is served."""
    names = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    return {
        name: len(brotli.compress(Path(str(finders.find(name))).read_bytes()))
        for name in dict.fromkeys(names)
    }


@pytest.mark.parametrize("path", ["/transactions/", "/", "card"])
def test_a_first_visit_is_light(
    project: Project, owner_client: Client, path: str
) -> None:
    for number in range(60):
        row = make_transaction(project=project, customer_name=f"Buyer {number}")
        make_item(row, f"Thing {number}")
    address = f"/transactions/{row.pk}/" if path == "card" else path
    page = owner_client.get(address).content
    files = assets(page.decode())
    script = sum(size for name, size in files.items() if name.endswith(".js"))
    assert {"js/app.js", "django_htmx/htmx-2.min.js"} <= set(files)
    assert script <= 25 * KIB
    assert len(gzip.compress(page)) + sum(files.values()) <= 60 * KIB
