"""Error pages: in words, without a database, findable in the log."""

from __future__ import annotations

import re

import pytest
from django.test import Client, RequestFactory

from merchant.views import errors


@pytest.mark.django_db
def test_a_missing_page_says_so_in_words() -> None:
    response = Client().get("/no-such-page/")
    assert response.status_code == 404
    assert b"There is no such page" in response.content


def test_a_failure_has_a_reference_that_stands_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = errors.failed(RequestFactory().get("/transactions/"))
    found = re.search(rb"<code>(\w{12})</code>", response.content)
    assert response.status_code == 500
    assert found
    assert found[1].decode() in caplog.text


@pytest.mark.parametrize(
    ("view", "status"),
    [(errors.bad_request, 400), (errors.forbidden, 403), (errors.not_found, 404)],
)
def test_error_pages_ask_no_database(view, status: int) -> None:  # noqa: ANN001
    response = view(RequestFactory().get("/"))
    assert response.status_code == status
    assert response["Cache-Control"] == "no-store"
