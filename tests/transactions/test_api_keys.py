"""Which keys open the API, and how they may be sent."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from merchant import keys, rate_limit
from merchant.models import ApiKey, Member, Project
from tests.conftest import client_of
from tests.factories import make_transaction

LIST = "/v1/transactions"


def _get(authorization: str):
    return Client().get(LIST, headers={"authorization": authorization})


@pytest.fixture
def text(project: Project) -> str:
    return keys.issue(project)[1]


def test_the_text_is_not_in_the_database(project: Project) -> None:
    key, text = keys.issue(project, ["read", "write"], label="Shop")
    row = ApiKey.objects.values().get(pk=key.pk)
    assert text not in str(row)
    assert row["scopes"] == ["read", "write"]
    assert row["hint"].endswith(text[-4:])


def test_an_unknown_scope_is_refused(project: Project) -> None:
    with pytest.raises(ValueError, match="everything"):
        keys.issue(project, ["everything"])
    with pytest.raises(ValueError, match="scope"):
        keys.issue(project, [])


def test_two_keys_are_never_the_same(project: Project) -> None:
    assert len({keys.issue(project)[1] for _ in range(20)}) == 20


def test_a_mistyped_key_asks_no_database(text: str, django_assert_num_queries) -> None:
    other = "A" if text[10] != "A" else "B"
    with django_assert_num_queries(0):
        assert keys.find(text[:10] + other + text[11:]) is None
        assert keys.find("") is None
        assert keys.find("mk_" + "é" * 38) is None


def test_use_is_noted_once_a_minute(text: str, django_assert_num_queries) -> None:
    with django_assert_num_queries(2):
        assert keys.find(text) is not None
    with django_assert_num_queries(1):
        found = keys.find(text)
    assert found is not None and found.used is not None


@pytest.mark.parametrize(
    "spelling",
    [
        lambda key: f"Bearer {key}",
        lambda key: f"bearer  {key}",
        lambda key: f"APIKey {key}",
        lambda key: "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
        lambda key: "Basic " + base64.b64encode(f"{key}:pass".encode()).decode(),
    ],
    ids=["bearer", "bearer with two spaces", "apikey", "basic", "basic with password"],
)
def test_a_key_may_come_in_three_ways(text: str, spelling) -> None:
    assert _get(spelling(text)).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer mk_nothing", "Basic !", "Basic /w==", "Token x", "x" * 9000],
)
def test_what_is_no_key_is_refused(db: None, authorization: str) -> None:
    answer = _get(authorization)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["error"]["type"] == "authentication_error"


def test_a_revoked_key_is_refused_at_once(text: str) -> None:
    assert _get(f"Bearer {text}").status_code == 200
    ApiKey.objects.update(revoked=timezone.now())
    assert _get(f"Bearer {text}").status_code == 401


def test_an_expired_key_is_refused(text: str) -> None:
    ApiKey.objects.update(expires=timezone.now() + timedelta(minutes=1))
    assert _get(f"Bearer {text}").status_code == 200
    ApiKey.objects.update(expires=timezone.now() - timedelta(minutes=1))
    assert _get(f"Bearer {text}").status_code == 401


def test_a_session_is_no_key(owner: Member) -> None:
    assert client_of(owner).get(LIST).status_code == 401


def test_a_key_in_the_address_is_no_key(text: str) -> None:
    assert Client().get(LIST, {"api_key": text}).status_code == 401


def test_a_key_without_the_scope_is_refused(project: Project) -> None:
    _, text = keys.issue(project, ["refund"])
    answer = _get(f"Bearer {text}")
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"
    assert answer.json()["error"]["code"] == "scope_missing"


def test_a_key_sees_its_own_project_only(project: Project, text: str) -> None:
    own = make_transaction(project=project)
    make_transaction()  # of another merchant
    sister = Project.objects.create(
        merchant=project.merchant, name="Second", slug="second"
    )
    make_transaction(project=sister)
    listed = _get(f"Bearer {text}").json()["data"]
    assert [row["id"] for row in listed] == [str(own.pk)]


# ------------------------------------------------------------------------ how often
def test_a_rush_of_200_passes_and_the_next_waits() -> None:
    waits = [rate_limit.take_from_own_bucket("rush", 100.0) for _ in range(201)]
    assert not any(waits[:200])
    assert 0 < waits[200] <= 0.01


def test_the_bucket_fills_by_100_a_second() -> None:
    for _ in range(200):
        rate_limit.take_from_own_bucket("even", 100.0)
    assert rate_limit.take_from_own_bucket("even", 100.5) == 0
    more = [rate_limit.take_from_own_bucket("even", 100.5) for _ in range(60)]
    assert more.count(0) == 49


def test_too_many_requests_are_told_when_to_come_back(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "seconds_to_wait", lambda name: 0.2)
    answer = _get(f"Bearer {text}")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "1"
    assert answer.json()["error"]["type"] == "rate_limit_error"


@pytest.mark.redis
def test_all_processes_share_one_bucket_in_redis() -> None:
    waits = [rate_limit.seconds_to_wait("shared") for _ in range(260)]
    assert not any(waits[:200])
    assert any(waits[200:])


def test_requests_are_counted_here_while_redis_is_away(
    settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(rate_limit, "_away_until", 0.0)
    rate_limit._script.cache_clear()
    try:
        waits = [rate_limit.seconds_to_wait("alone") for _ in range(240)]
    finally:
        rate_limit._script.cache_clear()
    assert not any(waits[:200])
    assert any(waits[200:])
