"""Accounts with providers: opened with usable keys, rotated, closed."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from merchant import connections, vault
from merchant.connections import NotUsable
from merchant.models import Connection, Project, Secret
from merchant.providers import PROVIDERS
from tests.factories import make_connection, make_secret, rsa_pair

pytestmark = pytest.mark.django_db


def opened(project: Project, provider: str = "stripe", **given) -> Connection:
    return connections.open_connection(project, provider, **given)


# --------------------------------------------------------------------------- opening
@pytest.mark.parametrize("provider", ["stripe", "paysuper", "paynow"])
def test_a_secret_opens_again(project: Project, provider: str) -> None:
    row = opened(project, provider, secret="  a-good-secret\n", api_key="key_1")
    keys = connections.keys_of(row)
    assert keys.secrets == ("a-good-secret",)
    assert keys.api_key == "key_1"
    assert "a-good-secret" not in row.secrets.get().sealed
    assert "key_1" not in row.sealed_api_key


def test_every_other_word_is_kept(project: Project) -> None:
    row = opened(
        project,
        "paysecure",
        brand_ids=[" b1 ", "b2", "b1", ""],
        account=" acct_1 ",
        base_url="https://api.example.org/v1/",
        livemode=False,
        demo=True,
    )
    row.refresh_from_db()
    assert row.brand_ids == ["b1", "b2"]
    assert (row.account, row.base_url) == ("acct_1", "https://api.example.org/v1")
    assert (row.livemode, row.demo) == (False, True)
    keys = connections.keys_of(row)
    assert keys.brand_ids == ("b1", "b2")
    assert not keys.livemode


def test_keys_may_come_later(project: Project) -> None:
    row = opened(project)
    assert connections.keys_of(row).secrets == ()
    connections.add_secret(row, "whsec_later")
    assert connections.keys_of(row).secrets == ("whsec_later",)


def test_a_public_key_is_taken_in_any_form(project: Project) -> None:
    pem = rsa_pair()[0]
    key = serialization.load_pem_public_key(pem.encode())
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    forms = [pem, base64.b64encode(der).decode(), base64.b64encode(pem.encode())]
    for form in forms:
        given = form if isinstance(form, str) else form.decode()
        row = opened(project, "paysecure", public_key=given)
        assert connections.keys_of(row).public_keys == (pem,)


def test_a_private_key_lets_the_sandbox_sign(project: Project) -> None:
    public, private = rsa_pair()
    row = opened(project, "paysecure", public_key=public, private_key=private)
    assert connections.keys_of(row).private_key == private


def refused(project: Project, provider: str = "stripe", **given) -> str:
    with pytest.raises(NotUsable) as caught:
        opened(project, provider, **given)
    assert not Connection.objects.exists()
    return str(caught.value)


def test_an_unknown_provider_is_refused(project: Project) -> None:
    assert "stripe" in refused(project, "strip")


@pytest.mark.parametrize("secret", ["short", " ", "a b\nc d e f", "abc\x00defgh"])
def test_a_secret_that_cannot_be_one_is_refused(project: Project, secret: str) -> None:
    assert "secret" in refused(project, secret=secret)


def test_paysecure_has_no_secret(project: Project) -> None:
    assert "public key" in refused(project, "paysecure", secret="a-good-secret")


def test_others_have_no_public_key(project: Project) -> None:
    assert "leave it out" in refused(project, public_key=rsa_pair()[0])
    assert "leave it out" in refused(project, private_key=rsa_pair()[1])


def test_a_key_of_another_kind_is_refused(project: Project) -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = curve.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert "RSA" in refused(project, "paysecure", public_key=pem.decode())
    for garbage in ("hello", "-----BEGIN PUBLIC KEY-----", "é"):
        assert "public key" in refused(project, "paysecure", public_key=garbage)
        assert "private key" in refused(project, "paysecure", private_key=garbage)


@pytest.mark.parametrize("api_key", ["a\r\nX-Evil: 1", "schlüssel", "x" * 10_001])
def test_an_api_key_that_breaks_a_header_is_refused(
    project: Project, api_key: str
) -> None:
    assert "API key" in refused(project, api_key=api_key)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.org",
        "https://127.0.0.1/x",
        "https://localhost",
        "ftp://api.example.org",
        "https://user@api.example.org",
        "https://api.example.org/?key=1",
        "https://api.example.org/" + "x" * 600,
        "not a url",
    ],
)
def test_a_base_url_that_must_not_be_called_is_refused(
    project: Project, url: str
) -> None:
    assert "base URL" in refused(project, base_url=url)


def test_the_sandbox_is_for_the_demo(project: Project, settings) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9911"
    url = "http://127.0.0.1:9911/stripe"
    assert "ALLOW_PRIVATE_ENDPOINTS" in refused(project, base_url=url)
    assert opened(project, base_url=url, demo=True).base_url == url
    settings.ALLOW_PRIVATE_ENDPOINTS = True
    assert opened(project, base_url=url).base_url == url


def test_too_many_or_too_long_brands_are_refused(project: Project) -> None:
    assert "brand" in refused(project, "paysecure", brand_ids=map(str, range(99)))
    assert "brand" in refused(project, "paysecure", brand_ids=["x" * 81])
    assert "account" in refused(project, account="x" * 81)


# -------------------------------------------------------------------------- reading
def test_the_newest_key_comes_first_and_ended_ones_not_at_all() -> None:
    row = make_connection("stripe", secret="whsec_old")
    now = timezone.now()
    make_secret(row, "signing", "whsec_ended", expires=now - timedelta(seconds=1))
    make_secret(row, "signing", "whsec_new", expires=now + timedelta(hours=1))
    assert connections.keys_of(row).secrets == ("whsec_new", "whsec_old")


def test_what_was_read_is_believed_for_a_while(django_assert_num_queries) -> None:
    row = make_connection("stripe")
    with django_assert_num_queries(2):
        first = connections.opened(row.pk)
        assert connections.opened(row.pk) == first
    connections.forget(row.pk)
    with django_assert_num_queries(2):
        connections.opened(row.pk)


def test_it_is_not_believed_for_long(monkeypatch) -> None:
    row = make_connection("stripe", secret="whsec_one")
    connections.opened(row.pk)
    make_secret(row, "signing", "whsec_two")
    later = connections.time.monotonic() + 5.1
    monkeypatch.setattr(connections.time, "monotonic", lambda: later)
    found = connections.opened(row.pk)
    assert found is not None
    assert found[1].secrets == ("whsec_two", "whsec_one")


def test_a_miss_is_never_kept(project: Project) -> None:
    row = make_connection("stripe", project=project, closed=timezone.now())
    assert connections.opened(row.pk) is None
    Connection.objects.update(closed=None)
    assert connections.opened(row.pk) is not None


def test_keys_show_in_no_log(project: Project) -> None:
    row = opened(project, secret="a-good-secret")
    assert "a-good-secret" not in repr(connections.keys_of(row))
    assert "a-good-secret" not in repr(connections.opened(row.pk))


def test_a_safe_with_another_key_stays_locked(settings) -> None:
    row = make_connection("stripe")
    settings.ENCRYPTION_KEYS = [vault.new_key()]
    with pytest.raises(vault.Locked):
        connections.keys_of(row)


# ------------------------------------------------------------------------- changing
def test_a_rotation_leaves_the_old_one_live_for_a_day() -> None:
    row = make_connection("stripe", secret="whsec_old")
    connections.opened(row.pk)
    connections.rotate(row, "whsec_new")
    found = connections.opened(row.pk)
    assert found is not None
    assert found[1].secrets == ("whsec_new", "whsec_old")
    end = row.secrets.get(expires__isnull=False).expires
    assert end is not None
    left = end - timezone.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_a_leaked_one_ends_at_once() -> None:
    row = make_connection("stripe", secret="whsec_old")
    connections.rotate(row, "whsec_new", overlap=timedelta(0))
    assert connections.keys_of(row).secrets == ("whsec_new",)


def test_a_rotation_lengthens_no_life() -> None:
    row = make_connection("stripe", secret="whsec_old")
    soon = timezone.now() + timedelta(minutes=5)
    Secret.objects.update(expires=soon)
    connections.rotate(row, "whsec_new")
    assert row.secrets.get(expires__isnull=False).expires == soon


def test_a_rotation_leaves_keys_of_other_kinds_alone() -> None:
    row = make_connection("paysecure")
    connections.rotate(row, rsa_pair()[0], kind="public", overlap=timedelta(0))
    keys = connections.keys_of(row)
    assert len(keys.public_keys) == 1
    assert keys.private_key


@pytest.mark.parametrize("days", [-1, 8])
def test_an_overlap_has_bounds(days: int) -> None:
    row = make_connection("stripe")
    with pytest.raises(NotUsable):
        connections.rotate(row, "whsec_new", overlap=timedelta(days=days))
    assert row.secrets.count() == 1


def test_a_rotation_to_a_bad_secret_changes_nothing() -> None:
    row = make_connection("stripe", secret="whsec_old")
    with pytest.raises(NotUsable):
        connections.rotate(row, "x")
    assert row.secrets.get().expires is None


def test_there_are_not_more_live_keys_than_ten() -> None:
    row = make_connection("stripe")
    for number in range(9):
        connections.add_secret(row, f"whsec_{number}")
    with pytest.raises(NotUsable):
        connections.add_secret(row, "whsec_more")


def test_an_api_key_is_set_and_taken_away() -> None:
    row = make_connection("stripe")
    connections.opened(row.pk)
    for api_key in ("sk_live_1", ""):
        connections.set_api_key(row, api_key)
        found = connections.opened(row.pk)
        assert found is not None
        assert found[1].api_key == api_key


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_closed_has_no_keys_any_more(provider: str) -> None:
    row = make_connection(provider, api_key="key_1")
    connections.opened(row.pk)
    connections.close(row)
    assert connections.opened(row.pk) is None
    row.refresh_from_db()
    assert row.closed
    assert not row.sealed_api_key
    assert not row.secrets.exists()


def test_closing_twice_keeps_the_first_time() -> None:
    row = make_connection("stripe")
    connections.close(row)
    first = row.closed
    connections.close(row)
    assert row.closed == first


# -------------------------------------------------------------------------- changing
def test_details_change_and_tell_what_they_were(project: Project) -> None:
    row = opened(project, account="acct_1")
    changed = connections.change(
        row, base_url="", brand_ids=[], account="acct_2", livemode=False
    )
    assert changed == {"account": ["acct_1", "acct_2"], "livemode": [True, False]}
    row.refresh_from_db()
    assert (row.account, row.livemode) == ("acct_2", False)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("", "https://api.example.org", False),
        ("https://api.example.org", "", False),
        ("https://api.example.org", "https://api.example.net", False),
        ("https://api.example.org", "https://api.example.org:8443", False),
        ("https://api.example.org/v1", "https://API.example.org/v2", True),
    ],
)
def test_a_key_is_never_sent_to_a_host_it_was_not_given_for(
    project: Project, before: str, after: str, kept: bool
) -> None:
    row = opened(project, "paysuper", base_url=before, api_key="k", user_token="t")
    connections.change(row, base_url=after, brand_ids=[], account="", livemode=True)
    row.refresh_from_db()
    keys = connections.keys_of(row)
    assert bool(keys.api_key) is bool(keys.user_token) is kept


def test_one_key_of_several_is_rotated(project: Project) -> None:
    row = opened(project, "paynow", secret="of-event-1", more_secrets=["of-event-2"])
    only = next(key for key in row.secrets.all() if key.open() == "of-event-2")
    connections.rotate(row, "of-event-3", only=only, overlap=timedelta(0))
    assert set(connections.keys_of(row).secrets) == {"of-event-1", "of-event-3"}


def test_an_ended_key_is_gone(project: Project) -> None:
    row = opened(project, secret="a-good-secret")
    connections.opened(row.pk)
    connections.end_secret(row, row.secrets.get())
    assert not Secret.objects.exists()
    _, keys = connections.opened(row.pk)  # type: ignore[misc]
    assert keys.secrets == ()


def test_a_key_of_another_connection_is_not_ended(project: Project) -> None:
    row, other = opened(project, secret="secret-1"), opened(project, secret="secret-2")
    connections.end_secret(row, other.secrets.get())
    assert connections.keys_of(other).secrets == ("secret-2",)


def test_several_keys_come_all_or_none(project: Project) -> None:
    row = opened(project, "paynow")
    with pytest.raises(NotUsable):
        connections.add_secrets(row, ["a-good-secret", "bad"], kind="signing")
    assert not row.secrets.exists()


def test_a_secret_per_event_needs_more_room(project: Project) -> None:
    row = opened(project, "paynow")
    keys = [f"secret-{number}" for number in range(40)]
    connections.add_secrets(row, keys, kind="signing")
    with pytest.raises(NotUsable, match="40 live keys"):
        connections.add_secret(row, "one-too-many")
