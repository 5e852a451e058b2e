"""Secrets of endpoints and key pairs of projects: made, checked, rolled, in force."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.db import connection as database
from django.utils import timezone

from merchant.models import Project
from tests.factories import make_project
from webhooks import secrets, signing_keys
from webhooks.dialects import DIALECTS, rsa
from webhooks.dialects.base import SigningKeys
from webhooks.models import Endpoint, EndpointSecret, SigningKey

pytestmark = pytest.mark.django_db

WITH_SECRETS = [dialect for dialect in DIALECTS if dialect != "paysecure"]


@pytest.fixture
def project() -> Project:
    return make_project()


def make_endpoint(project: Project, dialect: str, *given: str) -> Endpoint:
    endpoint = Endpoint.objects.create(
        project=project, url="https://shop.example/in", dialect=dialect
    )
    for secret in given:
        EndpointSecret.sealed_for(endpoint, secret).save()
    return endpoint


# ---------------------------------------------------------------------------- secrets
@pytest.mark.parametrize("dialect", WITH_SECRETS)
def test_a_new_secret_is_one_that_is_taken(dialect: str) -> None:
    made = {secrets.new_secret(dialect) for _ in range(20)}
    assert len(made) == 20
    for secret in made:
        secrets.check_secret(dialect, secret)


def test_a_new_standard_secret_has_32_bytes() -> None:
    secret = secrets.new_secret("standard")
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


@pytest.mark.parametrize(
    ("dialect", "given", "why"),
    [
        ("standard", "whsec_not base64 at all", "no base64"),
        ("standard", "whsec_" + base64.b64encode(bytes(15)).decode(), "15 bytes"),
        ("standard", "whsec_" + base64.b64encode(bytes(65)).decode(), "65 bytes"),
        ("standard", "", "0 bytes"),
        ("stripe", "whsec_short", "shorter than 16"),
        ("paysuper", "eleven char", "shorter than 12"),
        ("paynow", "fifteen letters", "shorter than 16"),
        ("paynow", " your-webhook-secret", "begins or ends with a blank"),
        ("stripe", "whsec_with\na line break", "line break"),
        ("paysuper", "x" * 256, "longer than 255"),
        ("paysecure", "any secret that is long", "key pair"),
    ],
)
def test_a_secret_that_cannot_be_used_says_why(
    dialect: str, given: str, why: str
) -> None:
    with pytest.raises(secrets.NotUsable, match=why):
        secrets.check_secret(dialect, given)


@pytest.mark.parametrize(
    ("dialect", "given"),
    [
        ("standard", "whsec_plJ3nmyCDGBKInavdOK15jsl"),
        ("stripe", "whsec_test_secret"),
        ("paysuper", "my 15 letter key"),
        ("paynow", "your-webhook-secret"),
    ],
)
def test_a_handler_that_exists_keeps_its_secret(dialect: str, given: str) -> None:
    secrets.check_secret(dialect, given)


def test_a_secret_is_sealed_and_opens_for_its_own_row_only(project: Project) -> None:
    endpoint = make_endpoint(project, "stripe", "whsec_test_secret")
    assert "whsec_test_secret" not in endpoint.secrets.get().sealed
    assert endpoint.secrets.get().open() == "whsec_test_secret"


# ---------------------------------------------------------------------------- in force
def test_the_newest_secret_signs_first(project: Project) -> None:
    endpoint = make_endpoint(project, "standard", "the older", "the newer")
    assert secrets.keys_of(endpoint).secrets == ("the newer", "the older")


def test_what_has_ended_signs_nothing(project: Project) -> None:
    endpoint = make_endpoint(project, "standard", "the older", "the newer")
    old = endpoint.secrets.order_by("created").first()
    assert old is not None
    old.expires = timezone.now() - timedelta(seconds=1)
    old.save()
    assert secrets.keys_of(endpoint).secrets == ("the newer",)


def test_a_secret_that_is_believed_still_ends_in_time(
    project: Project, monkeypatch
) -> None:
    endpoint = make_endpoint(project, "standard", "the older", "the newer")
    end = timezone.now() + timedelta(hours=1)
    endpoint.secrets.filter(pk=endpoint.secrets.order_by("created")[0].pk).update(
        expires=end
    )
    assert len(secrets.keys_of(endpoint).secrets) == 2
    monkeypatch.setattr(secrets.timezone, "now", lambda: end + timedelta(seconds=1))
    assert secrets.keys_of(endpoint).secrets == ("the newer",)


def test_thousands_of_letters_ask_the_database_once(
    project: Project, django_assert_num_queries
) -> None:
    endpoint = make_endpoint(project, "standard", "a secret")
    with django_assert_num_queries(1):
        for _ in range(1000):
            secrets.keys_of(endpoint)


def test_a_rolled_secret_is_known_at_once_where_it_was_rolled(project: Project) -> None:
    endpoint = make_endpoint(project, "standard", "the older")
    secrets.keys_of(endpoint)
    EndpointSecret.sealed_for(endpoint, "the newer").save()
    secrets.forget(endpoint)
    assert secrets.keys_of(endpoint).secrets == ("the newer", "the older")


def test_an_endpoint_without_a_secret_says_what_to_do(project: Project) -> None:
    endpoint = make_endpoint(project, "standard")
    with pytest.raises(secrets.NoKeys, match="give it a new one"):
        secrets.keys_of(endpoint)
    EndpointSecret.sealed_for(endpoint, "at last").save()
    assert secrets.keys_of(endpoint).secrets == ("at last",)


def test_a_callback_may_be_the_first_to_need_a_pair(project: Project) -> None:
    keys = secrets.keys_of(make_endpoint(project, "paysecure"))
    assert keys.private_key == signing_keys.pair_of(project).open()


def test_keys_show_themselves_to_no_log(project: Project) -> None:
    endpoint = make_endpoint(project, "standard", "never to be shown")
    signing_keys.pair_of(project)
    paysecure = make_endpoint(project, "paysecure")
    for keys in (secrets.keys_of(endpoint), secrets.keys_of(paysecure)):
        assert "never" not in repr(keys)
        assert "PRIVATE" not in repr(keys)
    assert "never" not in repr(secrets._kept.values())


def test_where_one_signature_fits_the_tries_take_turns() -> None:
    keys = SigningKeys(secrets=("new", "old"))
    turns = [keys.turn(attempt).secrets for attempt in range(1, 5)]
    assert turns == [("new",), ("old",), ("new",), ("old",)]
    pairs = SigningKeys(private_key="new", older_private_keys=("old",))
    assert [pairs.turn(n).private_key for n in (1, 2, 3)] == ["new", "old", "new"]


# --------------------------------------------------------------------------- key pairs
def test_a_pair_is_made_at_first_need_and_kept(project: Project) -> None:
    first = signing_keys.pair_of(project)
    assert signing_keys.pair_of(project) == first
    assert SigningKey.objects.filter(project=project).count() == 1
    assert "PRIVATE" not in first.sealed + first.public


def test_another_project_has_another_pair(project: Project) -> None:
    other = signing_keys.pair_of(make_project())
    assert signing_keys.pair_of(project).public != other.public


def test_the_public_key_is_shown_as_pem_and_as_der(project: Project) -> None:
    pair = signing_keys.pair_of(project)
    assert pair.public.startswith("-----BEGIN PUBLIC KEY-----")
    der = signing_keys.public_der(pair)
    assert "\n" not in der
    loaded = load_der_public_key(base64.b64decode(der, validate=True))
    assert loaded.key_size == 2048  # type: ignore[union-attr]


def test_a_rolled_pair_signs_beside_the_old_one(project: Project) -> None:
    endpoint = make_endpoint(project, "paysecure")
    old = signing_keys.pair_of(project)
    new = signing_keys.roll(project)
    keys = secrets.keys_of(endpoint)
    assert keys.private_key == new.open()
    assert keys.older_private_keys == (old.open(),)
    assert signing_keys.pair_of(project) == new


def test_a_pair_that_leaked_is_destroyed_at_once(project: Project) -> None:
    signing_keys.pair_of(project)
    new = signing_keys.roll(project, timedelta(0))
    assert list(SigningKey.objects.filter(project=project)) == [new]


def test_an_overlap_of_a_month_is_refused(project: Project) -> None:
    with pytest.raises(ValueError, match="0 to 7 days"):
        signing_keys.roll(project, timedelta(days=30))


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_get_the_same_pair(monkeypatch) -> None:
    project = make_project()
    pairs = [rsa.new_pair() for _ in range(4)]
    together = threading.Barrier(4)
    monkeypatch.setattr(rsa, "new_pair", lambda: (together.wait(), pairs.pop())[1])
    found = []

    def ask() -> None:
        try:
            found.append(signing_keys.pair_of(project).pk)
        finally:
            database.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert SigningKey.objects.filter(project=project).count() == 1


def test_nothing_of_a_private_key_is_kept_in_the_repository() -> None:
    root = Path(secrets.__file__).parent
    needle = b"-----BEGIN " + b"PRIVATE KEY"
    assert not [p for p in root.rglob("*") if p.is_file() and needle in p.read_bytes()]
