"""Whatever happens, no secret stands anywhere it can be read again."""

from __future__ import annotations

import base64
import io
import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as configured
from django.core import mail
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from merchant import connections, http, keys, queue, vault
from merchant.models import Connection, Member, Project, Secret, User
from merchant.providers.base import Answer
from tests.conftest import fresh_client_of
from tests.factories import make_connection, make_project, make_secret, rsa_pair
from tests.webhooks import deliveries
from transactions import jobs, poll
from transactions.models import LookUp, Transaction
from webhooks import intake, refusals, signing_keys
from webhooks import secrets as endpoint_secrets
from webhooks.jobs import alert
from webhooks.models import Endpoint, EndpointSecret, InboundEvent, Refusal, SigningKey

pytestmark = pytest.mark.django_db
PASSWORD = f"a password {secrets.token_hex(12)}"


class Seeded:
    """A project with all four providers; `hidden` holds every secret of it."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.folder = folder
        self.project = project
        self.printed = io.StringIO()
        self.hidden: dict[str, str] = {"password": PASSWORD}
        self.api_keys: list[str] = []
        member = ("--role", "owner", "--password", PASSWORD)
        email = ("--merchant", project.merchant.slug, "--email", "new@example.com")
        self.run("add_member", *email, *member)
        self.accounts = [self.connect(provider) for provider in deliveries.EVERY]
        self.endpoints = [self.listen(dialect) for dialect in ("standard", "paysecure")]
        shown = self.run("add_api_key", "--project", project.slug)
        self.key = json.loads(shown.splitlines()[-1])["key"]
        self.hidden["key"] = self.key
        self.printed.truncate(0)  # it is shown once, here

    def run(self, *words: str) -> str:
        out = io.StringIO()
        call_command(*words, "--json", stdout=out, stderr=self.printed)
        self.printed.write(out.getvalue())
        return out.getvalue()

    def connect(self, provider: str) -> Connection:
        signing = {"stripe": "whsec_"}.get(provider, "") + secrets.token_hex(20)
        api_key = {"stripe": "sk_live_"}.get(provider, "") + secrets.token_hex(20)
        self.hidden[f"api key of {provider}"] = api_key
        self.api_keys.append(api_key)
        given = ["--api-key", api_key]
        if provider == "paysecure":
            public, private = rsa_pair()
            (self.folder / "public.pem").write_text(public)
            self.hidden["private key"] = private.splitlines()[3]
            given += ["--public-key", str(self.folder / "public.pem")]
            given += ["--brand-id", "brd_dragon"]
        else:
            self.hidden[f"secret of {provider}"] = signing
            given += ["--secret", signing]
        shop = ("--project", self.project.slug, "--provider", provider)
        made = self.run("add_connection", *shop, *given)
        id = json.loads(made.splitlines()[-1])["id"]
        account = Connection.objects.get(pk=id)
        if provider == "paysecure":
            make_secret(account, "private", rsa_pair()[1])
        return account

    def listen(self, dialect: str) -> Endpoint:
        """An endpoint of the project, with what its letters are signed with."""
        endpoint = Endpoint.objects.create(
            project=self.project, url="https://shop.example/in", dialect=dialect
        )
        if dialect == "paysecure":
            private = signing_keys.pair_of(self.project).open()
            self.hidden["the project's private key"] = private.splitlines()[3]
        else:
            secret = endpoint_secrets.new_secret(dialect)
            EndpointSecret.sealed_for(endpoint, secret).save()
            self.hidden["secret of the endpoint"] = secret
        return endpoint

    @property
    def needles(self) -> dict[str, bytes]:
        """Every spelling in which a secret would be one."""
        found = {}
        for name, secret in self.hidden.items():
            bare = secret.removeprefix("whsec_").removeprefix("sk_live_").encode()
            found[name] = bare
            found[f"{name}, base64"] = base64.b64encode(bare)[:24]
            found[f"{name}, base64 whole"] = base64.b64encode(secret.encode())[:24]
            found[f"{name}, hex"] = bare.hex().encode()
        return found

    def hits(self, where: str, text: bytes | str) -> list[str]:
        """Which secrets stand there."""
        pile = text.encode() if isinstance(text, str) else text
        return [f"{name} in {where}" for name, s in self.needles.items() if s in pile]


@pytest.fixture
def seeded(project: Project, tmp_path: Path) -> Seeded:
    return Seeded(project, tmp_path)


def dumped() -> Iterator[tuple[str, bytes]]:
    """(table, all of it) for every table of the database."""
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            yield table, b"\n".join(plain(v) for row in cursor for v in row)


def plain(value: object) -> bytes:
    if isinstance(value, bytes | memoryview | bytearray):
        return bytes(value)
    return str(value).encode()


def in_redis() -> Iterator[tuple[str, bytes]]:
    """What waits in Redis: every key as it is, and what RQ's jobs carry."""
    if not configured.REDIS_URL:
        return
    redis = queue._redis(0)
    for name in redis.scan_iter():
        yield str(name), repr(redis.dump(name)).encode()
    for name in set(queue.QUEUE_OF.values()):
        for job in queue.rq_queue(name).jobs:
            yield job.id, repr((job.func_name, job.args, job.kwargs)).encode()


def echo(*_args: Any, headers: Mapping[str, str] | None = None, **_more: Any) -> Answer:
    """A provider that repeats in its refusal what we sent to it."""
    told = {"error": {"message": f"No: {dict(headers or {})}", "type": "x"}}
    told |= {"message": f"No: {dict(headers or {})}", "code": "unauthorized"}
    return Answer(401, {}, json.dumps(told).encode())


def drive(seeded: Seeded) -> list[tuple[str, bytes]]:
    """Everything that a day brings; every answer that somebody got."""
    answers = []
    for account in seeded.accounts:
        for number in range(2):
            body = deliveries.body(account.provider, number + 1)
            headers = deliveries.signed(account, body)
            spoiled = {n: v[:-3] + "abc" for n, v in headers.items()}
            answers += [
                ("a good one", deliveries.post(account, body, headers)),
                ("again", deliveries.post(account, body, headers)),
                ("a wrong one", deliveries.post(account, body + b" ", spoiled)),
                ("a bare one", deliveries.post(account, body, {})),
            ]
            seeded.hidden |= {
                f"{name} of {account.provider} {number}": value
                for name, value in headers.items()
                if "signature" in name.lower() and len(value) > 20
            }
        late = timezone.now() - timedelta(hours=3)
        body = deliveries.body(account.provider, 9)
        answers.append(("a late one", deliveries.post(account, body, at=late)))
    refusals.flush()
    Refusal.objects.update(count=50)
    jobs.drain_inbox()
    for event in InboundEvent.objects.all():
        if event.state == "refused":
            intake.accept(event, "command")
        elif event.state == "done":
            intake.read_again(event, "command")
    jobs.drain_inbox()
    for account in seeded.accounts:
        LookUp.objects.get_or_create(connection=account, kind="purchase", want="x" * 24)
    jobs.drain_look_ups()
    InboundEvent.objects.filter(event_key__contains="1").update(state="failed")
    alert()
    return [(name, answer.content) for name, answer in answers]


def shown(seeded: Seeded, owner: Member) -> Iterator[tuple[str, bytes]]:
    """Every page and answer of the API, and how the forms take a secret."""
    client = fresh_client_of(owner)
    paths = ["/transactions/", "/inbound/", "/inbound/refused/", "/password/change/"]
    paths += [f"/transactions/{row.pk}/" for row in Transaction.objects.all()]
    paths += [f"/inbound/{row.pk}/" for row in InboundEvent.objects.all()]
    paths += ["/connections/"]
    for verb in ("", "key/", "keys/", "edit/", "close/"):
        paths += [f"/connections/{row.pk}/{verb}" for row in seeded.accounts]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200
        yield path, answer.content
    for account in seeded.accounts:
        path = f"/connections/{account.pk}/key/"
        for typed in (seeded.api_keys[0] + "\x00", "", seeded.api_keys[1]):
            yield f"POST {path}", client.post(path, {"key": typed}).content
        path = f"/connections/{account.pk}/keys/"
        for hidden in [*seeded.hidden.values(), ""]:
            form = {"secret": f"{hidden}\x00", "instead": "nonsense"}
            yield f"POST {path}", client.post(path, form).content
        path = f"/connections/new/{account.provider}/"
        form = dict.fromkeys(("secret", "api_key", "user_token"), seeded.api_keys[0])
        yield f"POST {path}", client.post(path, form).content
    for password in (PASSWORD, PASSWORD + "x"):
        form = {"login": "new@example.com", "password": password}
        yield "login", Client().post("/login/", form).content
    key = Client(headers={"authorization": f"Bearer {seeded.key}"})
    for path in ("/v1/transactions", "/v1/nothing", "/metrics", "/v1/transactions/x"):
        yield path, key.get(path).content
    wrong = Client(headers={"authorization": f"Bearer {seeded.key}x"})
    yield "a wrong key", wrong.get("/v1/transactions").content


def test_no_secret_can_be_read_again(
    seeded: Seeded,
    owner: Member,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("merchant", "webhooks", "transactions", "django", "rq"):
        caplog.set_level(logging.DEBUG, logger=name)
    monkeypatch.setattr(http, "send", echo)
    places = drive(seeded)
    for account in seeded.accounts:
        try:
            poll.poll(account, timezone.now() - timedelta(days=1))
        except Exception as error:
            places.append(("a poll", repr(error).encode()))
    places += shown(seeded, owner)
    if configured.REDIS_URL:
        queue.enqueue_once(configured.INBOX_JOB)
        assert list(in_redis())
    places += [*dumped(), *in_redis()]
    places += [("a mail", m.message().as_bytes()) for m in mail.outbox]
    places += [("the log", caplog.text.encode())]
    places += [("a command", seeded.printed.getvalue().encode())]
    assert mail.outbox
    assert InboundEvent.objects.filter(state="done").exists()
    assert Refusal.objects.exists()
    assert not [hit for place in places for hit in seeded.hits(*place)]


def test_reprs_hide_what_they_hold(seeded: Seeded) -> None:
    for account in seeded.accounts:
        held = connections.keys_of(account)
        assert not seeded.hits("keys", f"{held!r} {held} {[held]}")
    for endpoint in seeded.endpoints:
        signs = endpoint_secrets.keys_of(endpoint)
        kept = endpoint_secrets._kept
        assert not seeded.hits("keys", f"{signs!r} {signs.turn(1)!r} {kept}")
        rows = [*endpoint.secrets.all(), *seeded.project.signing_keys.all()]
        for row in (endpoint, *rows):
            assert not seeded.hits("a row", f"{row!r} {row} {vars(row)}")
    for account in seeded.accounts:
        for row in (account, *account.secrets.all()):
            assert not seeded.hits("a row", f"{row!r} {row} {vars(row)}")


def test_a_sealed_text_opens_in_its_own_place_only(project: Project) -> None:
    one, other = (make_connection("stripe", project=project) for _ in range(2))
    connections.set_api_key(one, "sk_live_of_the_first")
    mine, yours = one.secrets.get(), other.secrets.get()
    Secret.objects.filter(pk=yours.pk).update(sealed=mine.sealed)
    with pytest.raises(vault.Locked):
        Secret.objects.get(pk=yours.pk).open()
    here, there = (signing_keys.pair_of(make_project()) for _ in range(2))
    SigningKey.objects.filter(pk=there.pk).update(sealed=here.sealed)
    with pytest.raises(vault.Locked):
        SigningKey.objects.get(pk=there.pk).open()
    Connection.objects.filter(pk=other.pk).update(sealed_api_key=one.sealed_api_key)
    Secret.objects.filter(pk=yours.pk).delete()
    with pytest.raises(vault.Locked):
        connections.keys_of(Connection.objects.get(pk=other.pk))
    Secret.objects.filter(pk=mine.pk).update(kind="private")
    with pytest.raises(vault.Locked):
        Secret.objects.get(pk=mine.pk).open()


def test_a_wrong_encryption_key_answers_busy_and_says_nothing(
    project: Project, settings, caplog: pytest.LogCaptureFixture
) -> None:
    connection = make_connection("stripe", project=project, secret="whsec_of_before")
    body = deliveries.body("stripe")
    headers = deliveries.signed(connection, body)
    connections.forget(connection.pk)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    answer = deliveries.post(connection, body, headers)
    assert answer.status_code == 503
    assert "of_before" not in caplog.text + answer.content.decode()


def test_passwords_and_keys_are_kept_as_hashes_only(seeded: Seeded) -> None:
    assert User.objects.get(email="new@example.com").check_password(PASSWORD)
    found = keys.find(seeded.key)
    assert found is not None
    assert found.hashed not in seeded.key
    assert len(found.hint) < len(seeded.key) / 2
