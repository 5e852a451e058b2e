"""add_endpoint, resend and listen: what a developer does at a keyboard."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from standardwebhooks import Webhook

from merchant.models import AuditEntry, Project
from tests.factories import make_project
from tests.webhooks.telling import make_delivery, make_endpoint, make_event
from webhooks import jobs, signing_keys
from webhooks.delivery import claims, forwarding
from webhooks.models import Delivery, Endpoint, EndpointSecret

pytestmark = pytest.mark.django_db

URL = "https://shop.example.com/hooks"


def run(name: str, *words: str) -> dict[str, Any]:
    out = StringIO()
    call_command(name, *words, "--json", stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


# ---------------------------------------------------------------------- add_endpoint
def test_an_endpoint_is_added(project: Project) -> None:
    told = run("add_endpoint", "--project", project.slug, "--url", URL)
    row = Endpoint.objects.get()
    assert told == {"id": str(row.pk), "secret": EndpointSecret.objects.get().open()}
    assert (row.project, row.url, row.dialect) == (project, URL, "standard")
    assert (row.events, row.livemode, row.kind) == ([], None, "endpoint")
    assert AuditEntry.objects.get().actor_label == "command"


def test_an_endpoint_for_some_events(project: Project) -> None:
    names = "payment.success, refund.*,charge.dispute.created"
    run(
        "add_endpoint", "--project", str(project.pk), "--url", URL, "--events", names,
        "--dialect", "stripe", "--secret", "whsec_" + "a" * 32, "--mode", "test",
    )  # fmt: skip
    row = Endpoint.objects.get()
    assert set(row.events) == {"payment.success", "refund.*", "dispute.opened"}
    assert (row.dialect, row.livemode) == ("stripe", False)
    assert EndpointSecret.objects.get().open() == "whsec_" + "a" * 32


def test_paysecures_dialect_comes_with_a_public_key(project: Project) -> None:
    told = run(
        "add_endpoint", "--project", project.slug, "--url", URL,
        "--dialect", "paysecure",
    )  # fmt: skip
    assert told["secret"] == ""
    assert told["public_key"] == signing_keys.pair_of(project).public
    assert told["public_key"].startswith("-----BEGIN PUBLIC KEY-----")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--url", "http://127.0.0.1/"], "https"),
        (["--url", URL, "--events", "payment.succes"], "payment.succes"),
        (["--url", URL, "--secret", "short"], "secret"),
        (["--url", URL, "--dialect", "paysecure", "--secret", "a" * 32], "key pair"),
    ],
)
def test_wrong_use_says_what_is_wrong(
    project: Project, words: list[str], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as problem:
        run("add_endpoint", "--project", project.slug, *words)
    assert problem.value.returncode == 2
    assert not Endpoint.objects.exists()


# ---------------------------------------------------------------------------- resend
def test_an_event_is_sent_again_to_all_who_were_told(project: Project) -> None:
    event = make_event(project)
    rows = [
        make_delivery(event, make_endpoint(project), state=state)
        for state in ("delivered", "exhausted")
    ]
    told = run("resend", event.key)
    assert told["event"] == event.key
    assert told["deliveries"] == [row.pk for row in rows]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}


def test_one_delivery_is_sent_again(project: Project) -> None:
    event = make_event(project)
    rows = [
        make_delivery(event, make_endpoint(project), state="delivered")
        for _ in range(2)
    ]
    told = run("resend", str(rows[0].pk))
    assert told["endpoints"] == [str(rows[0].endpoint_id)]
    assert [Delivery.objects.get(pk=row.pk).state for row in rows] == [
        "pending",
        "delivered",
    ]


def test_an_event_is_sent_to_an_endpoint_that_never_heard_of_it(
    project: Project,
) -> None:
    event, endpoint = make_event(project), make_endpoint(project)
    run("resend", event.key, "--endpoint", str(endpoint.pk))
    assert Delivery.objects.get().endpoint == endpoint


def test_what_cannot_be_sent_again(project: Project) -> None:
    event = make_event(project)
    strange = make_endpoint(make_project())
    for words, says in (
        (["msg_nothing"], "no event"),
        (["12345"], "no delivery"),
        ([event.key], "--endpoint"),
        ([event.key, "--endpoint", str(project.pk)], "no endpoint"),
        ([event.key, "--endpoint", str(strange.pk)], "another project"),
    ):
        with pytest.raises(CommandError, match=says) as problem:
            run("resend", *words)
        assert problem.value.returncode == 1
    with pytest.raises(CommandError) as problem:
        run("resend", event.key, "--endpoint", "x")
    assert problem.value.returncode == 2


# ---------------------------------------------------------------------------- listen
class Laptop:
    """A program on this machine; answers with `statuses` in turn, 200 when they end."""

    def __init__(self, *statuses: int) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        left = list(statuses)

        class Desk(BaseHTTPRequestHandler):
            def do_POST(desk) -> None:  # noqa: N802, N805
                body = desk.rfile.read(int(desk.headers["Content-Length"]))
                headers = {k.lower(): v for k, v in desk.headers.items()}
                self.got.append((headers, body))
                desk.send_response(left.pop(0) if left else 200)
                desk.send_header("Content-Length", "0")
                desk.end_headers()

            def log_message(desk, *_: object) -> None:  # noqa: N805
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Desk)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hooks"


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    place = Laptop(200, 500)
    yield place
    place.server.shutdown()
    place.server.server_close()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The test's own signals stay as they are."""
    stop = threading.Event()
    monkeypatch.setattr("merchant.processes.stop_on_signals", lambda: stop)
    return stop


def happens(project: Project, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Lets these events happen as soon as somebody listens."""
    real = forwarding.open_line

    def open_line(*args: Any, **more: Any) -> Any:
        endpoint, secret = real(*args, **more)
        for name in names:
            make_delivery(make_event(project, name), endpoint)
        return endpoint, secret

    monkeypatch.setattr(forwarding, "open_line", open_line)


def test_events_come_to_a_private_address_signed(
    project: Project,
    laptop: Laptop,
    quiet: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happens(project, monkeypatch, "payment.success", "payment.refund")
    out = StringIO()
    call_command(
        "listen", "--project", project.slug, "--forward-to", laptop.url,
        "--count", "2", "--json", stdout=out,
    )  # fmt: skip
    lines = out.getvalue().splitlines()
    told = json.loads(lines[-1])
    assert (told["forwarded"], told["failed"]) == (1, 1)
    (headers, body), (_, second) = laptop.got
    event = Webhook(told["secret"]).verify(body, headers)
    assert (event["event"], event["delivery_try"]) == ("payment.success", 1)
    assert json.loads(second)["event"] == "payment.refund"
    shown = [line for line in lines if "msg_" in line]
    assert "payment.success" in shown[0] and "200" in shown[0]
    assert "payment.refund" in shown[1] and "500" in shown[1]
    assert not Endpoint.objects.exists(), "it ends with the command"


def test_another_dialect_and_ones_own_secret(
    project: Project,
    laptop: Laptop,
    quiet: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happens(project, monkeypatch, "payment.success")
    told = run(
        "listen", "--project", project.slug, "--forward-to", laptop.url,
        "--dialect", "stripe", "--secret", "whsec_" + "a" * 32, "--count", "1",
        "--events", "checkout.session.completed",
    )  # fmt: skip
    assert told["secret"] == "whsec_" + "a" * 32
    assert "stripe-signature" in laptop.got[0][0]


def test_nobody_at_home_is_said(
    project: Project, quiet: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    happens(project, monkeypatch, "payment.success")
    out = StringIO()
    call_command(
        "listen", "--project", project.slug, "--forward-to", "localhost:9/hooks",
        "--count", "1", stdout=out,
    )  # fmt: skip
    assert "refuses connections" in out.getvalue()


def test_ctrl_c_ends_it_and_what_waits_goes_with_it(
    project: Project,
    laptop: Laptop,
    quiet: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happens(project, monkeypatch, "payment.success")
    quiet.set()
    told = run("listen", "--project", project.slug, "--forward-to", laptop.url)
    assert (told["forwarded"], told["failed"]) == (0, 0)
    assert not Endpoint.objects.exists() and not Delivery.objects.exists()
    noted = set(AuditEntry.objects.values_list("verb", "subject_id"))
    line = told["endpoint"]
    assert noted == {("endpoint.listening", line), ("endpoint.hung_up", line)}


def test_ctrl_c_does_not_wait_for_an_answer(project: Project) -> None:
    """A program that stands still in a debugger never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        endpoint, _ = forwarding.open_line(project, url)
        make_delivery(make_event(project), endpoint)
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        assert list(forwarding.forward_due(endpoint, stop)) == []
    assert Delivery.objects.get().state == "pending"


@pytest.mark.parametrize(
    "words",
    [
        ["--forward-to", "ftp://localhost/"],
        ["--forward-to", "http://a:b@localhost/"],
        ["--forward-to", "http://localhost:4242/", "--events", "payment.nothing"],
        ["--forward-to", "http://localhost:4242/", "--secret", "short"],
        ["--forward-to", "http://localhost:4242/", "--count", "0"],
    ],
)
def test_listen_says_what_is_wrong(project: Project, words: list[str]) -> None:
    with pytest.raises(CommandError) as problem:
        run("listen", "--project", project.slug, *words)
    assert problem.value.returncode == 2
    assert not Endpoint.objects.exists()


def test_this_installation_is_no_laptop(project: Project, settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.PORT = 8000
    with pytest.raises(CommandError, match="this installation"):
        run(
            "listen", "--project", project.slug, "--forward-to",
            "http://127.0.0.1:8000/hooks/stripe/x",
        )  # fmt: skip


def test_workers_leave_it_alone(project: Project) -> None:
    endpoint, _ = forwarding.open_line(project, "http://localhost:9/")
    make_delivery(make_event(project), endpoint)
    assert claims.Claims().take(10) == []


def test_a_line_whose_command_was_killed_ends_by_itself(project: Project) -> None:
    lost, _ = forwarding.open_line(project, "http://localhost:9/")
    alive, _ = forwarding.open_line(project, "http://localhost:9/")
    usual = make_endpoint(project)
    long_ago = timezone.now() - timedelta(minutes=6)
    Endpoint.objects.exclude(pk=alive.pk).update(changed=long_ago)
    jobs.tidy()
    assert set(Endpoint.objects.values_list("pk", flat=True)) == {alive.pk, usual.pk}
    assert not Endpoint.objects.filter(pk=lost.pk).exists()
