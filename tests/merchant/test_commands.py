"""Setting up by script: each command says what it made in one JSON object."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from merchant import connections, keys, queue, vault
from merchant.models import AuditEntry, Connection, Member, Merchant, Project, User
from tests.factories import make_connection, make_member, make_user, rsa_pair
from webhooks import signing_keys
from webhooks.models import Endpoint, EndpointSecret

pytestmark = pytest.mark.django_db


def run(command: str, *words: str) -> dict[str, Any]:
    """The JSON object on the last line of what the command prints."""
    out = io.StringIO()
    call_command(command, *words, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def fails(command: str, *words: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(command, *words)
    return caught.value


# ------------------------------------------------------------------ who is who
def test_a_merchant_gets_a_slug_from_its_name() -> None:
    made = run("add_merchant", "--name", "Dragon Games Ltd.")
    assert made["slug"] == "dragon-games-ltd"
    assert Merchant.objects.get(slug=made["slug"]).id.__str__() == made["id"]


def test_a_name_that_is_taken_gets_a_number() -> None:
    run("add_merchant", "--name", "Dragon")
    assert run("add_merchant", "--name", "Dragon")["slug"] == "dragon-2"


def test_a_name_without_latin_letters_still_gets_a_slug() -> None:
    assert run("add_merchant", "--name", "龍")["slug"] == "merchant"


def test_a_slug_that_is_taken_is_a_failure(merchant: Merchant) -> None:
    error = fails("add_merchant", "--name", "Other", "--slug", merchant.slug)
    assert error.returncode == 1
    assert "--slug" in str(error)


def test_a_slug_with_blanks_is_wrong_use() -> None:
    assert fails("add_merchant", "--name", "A", "--slug", "a b").returncode == 2


def test_a_project_belongs_to_the_merchant_named_by_slug(merchant: Merchant) -> None:
    made = run("add_project", "--merchant", merchant.slug, "--name", "Shop")
    assert made == {
        "id": str(Project.objects.get(merchant=merchant).id),
        "slug": "shop",
    }


def test_ids_work_where_slugs_do(merchant: Merchant) -> None:
    run("add_project", "--merchant", str(merchant.id), "--name", "Shop", "--slug", "s")
    assert Project.objects.get(slug="s").merchant == merchant


def test_an_unknown_merchant_is_named_with_those_that_exist(merchant: Merchant) -> None:
    error = fails("add_project", "--merchant", "dragn", "--name", "Shop")
    assert error.returncode == 1
    assert "'dragn'" in str(error)
    assert merchant.slug in str(error)


def test_a_new_member_can_sign_in_with_the_password(merchant: Merchant) -> None:
    words = ["--merchant", merchant.slug, "--email", "Ada@Example.com"]
    made = run("add_member", *words, "--role", "owner", "--password", "long enough 77")
    member = Member.objects.get(id=made["id"])
    assert member.user.email == "ada@example.com"
    assert member.user.check_password("long enough 77")
    assert made["slug"] == merchant.slug


def test_an_existing_user_is_joined_and_keeps_the_password(merchant: Merchant) -> None:
    user = make_user(email="ada@example.com", password="the first one 1")
    words = ["--merchant", merchant.slug, "--email", "ada@example.com"]
    run("add_member", *words, "--role", "viewer", "--password", "another one 2")
    user.refresh_from_db()
    assert user.check_password("the first one 1")
    assert user.memberships.get().role == "viewer"


def test_a_person_is_a_member_once(merchant: Merchant) -> None:
    member = make_member("owner", merchant=merchant)
    words = ["--merchant", merchant.slug, "--email", member.user.email]
    assert "already" in str(fails("add_member", *words, "--role", "viewer"))


def test_a_new_user_without_password_is_wrong_use(merchant: Merchant) -> None:
    words = ["--merchant", merchant.slug, "--email", "a@example.com", "--role", "owner"]
    assert fails("add_member", *words).returncode == 2
    assert not User.objects.exists()


# ------------------------------------------------------------------ connections
def test_a_connection_prints_the_address_to_paste(project: Project, settings) -> None:
    settings.PUBLIC_URL = "https://pay.example.com"
    words = ["--project", project.slug, "--provider", "stripe", "--secret", "whsec_a"]
    made = run("add_connection", *words, "--mode", "test")
    row = Connection.objects.get(id=made["id"])
    assert made == {
        "id": str(row.id),
        "provider": "stripe",
        "intake_url": f"https://pay.example.com/hooks/stripe/{row.id}",
    }
    assert not row.livemode
    assert connections.keys_of(row).secrets == ("whsec_a",)


def test_paysecure_takes_its_public_key_from_a_file(
    project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "key.pem"
    file.write_text(rsa_pair()[0])
    words = ["--project", project.slug, "--provider", "paysecure"]
    words += ["--public-key", str(file), "--brand-id", "b1", "--brand-id", "b2"]
    row = Connection.objects.get(id=run("add_connection", *words)["id"])
    assert row.brand_ids == ["b1", "b2"]
    assert len(connections.keys_of(row).public_keys) == 1


def test_a_missing_key_file_is_wrong_use(project: Project, tmp_path: Path) -> None:
    words = ["--project", project.slug, "--provider", "paysecure"]
    error = fails("add_connection", *words, "--public-key", str(tmp_path / "none"))
    assert error.returncode == 2


def test_a_secret_can_come_from_standard_input(project: Project, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("whsec_quiet\n"))
    words = ["--project", project.slug, "--provider", "stripe", "--secret", "-"]
    row = Connection.objects.get(id=run("add_connection", *words)["id"])
    assert connections.keys_of(row).secrets == ("whsec_quiet",)


def test_the_audit_log_knows_of_a_connection_but_not_its_secret(
    project: Project,
) -> None:
    words = ["--project", project.slug, "--provider", "paysuper"]
    run("add_connection", *words, "--secret", "hush-hush-hush", "--api-key", "sh-sh-sh")
    entries = AuditEntry.objects.filter(verb="connection.opened")
    assert entries.count() == 1
    assert "sh-sh" not in str(entries.values())


# ------------------------------------------------------------------------- keys
def test_an_api_key_is_printed_and_known_again(project: Project) -> None:
    made = run("add_api_key", "--project", project.slug, "--scopes", "read,refund")
    found = keys.find(made["key"])
    assert found is not None
    assert found.scopes == ["read", "refund"]


def test_an_unknown_scope_is_wrong_use(project: Project) -> None:
    error = fails("add_api_key", "--project", project.slug, "--scopes", "rule")
    assert error.returncode == 2


def test_resealing_lets_the_old_key_go(project: Project, settings) -> None:
    connection = make_connection("stripe", project=project, api_key="sk_test_1")
    endpoint = Endpoint.objects.create(project=project, url="https://shop.example/in")
    EndpointSecret.sealed_for(endpoint, "whsec_of an endpoint").save()
    pair = signing_keys.pair_of(project)
    old, new = settings.ENCRYPTION_KEYS[0], vault.new_key()
    settings.ENCRYPTION_KEYS = [new, old]
    assert run("reseal") == {
        "secrets": 1,
        "api_keys": 1,
        "user_tokens": 0,
        "endpoint_secrets": 1,
        "headers": 0,
        "signing_keys": 1,
    }
    settings.ENCRYPTION_KEYS = [new]
    connection.refresh_from_db()
    assert connections.keys_of(connection).api_key == "sk_test_1"
    assert endpoint.secrets.get().open() == "whsec_of an endpoint"
    pair.refresh_from_db()
    assert "PRIVATE KEY" in pair.open()


def test_resealing_without_the_old_key_changes_nothing(
    project: Project, settings
) -> None:
    connection = make_connection("stripe", project=project)
    before = connection.secrets.get().sealed
    settings.ENCRYPTION_KEYS = [vault.new_key()]
    assert "ENCRYPTION_KEYS" in str(fails("reseal"))
    assert connection.secrets.get().sealed == before


def test_a_new_encryption_key_is_a_fernet_key(settings) -> None:
    settings.ENCRYPTION_KEYS = []  # nothing is opened, so none is needed
    made = run("new_encryption_key")["key"]
    settings.ENCRYPTION_KEYS = [made]
    project = Project(name="x")
    sealed = vault.seal("secret", purpose="p", row=project.id)
    assert vault.unseal(sealed, purpose="p", row=project.id) == "secret"


def test_setting_up_who_is_who_needs_no_encryption_key(settings) -> None:
    settings.ENCRYPTION_KEYS = []
    run("add_merchant", "--name", "A", "--slug", "a")
    run("add_project", "--merchant", "a", "--name", "S", "--slug", "s")
    run("add_api_key", "--project", "s")


def test_draining_nothing_counts_nothing() -> None:
    assert run("drain") == dict.fromkeys(queue.DRAINED, 0)
