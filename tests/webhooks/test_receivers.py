"""The receivers that pages show are run, and sent letters that are right and wrong."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from webhooks import samples, secrets
from webhooks.dialects import DIALECTS, compose, rsa
from webhooks.dialects.base import Letter, SigningKeys
from webhooks.receivers import RECEIVERS, Receiver
from webhooks.trying import handler_tester

#: Language -> the program that runs it, and how. Only Python is sure to be there.
PROGRAMS = {
    "Python": (sys.executable, ["{file}"]),
    "Node": (shutil.which("node"), ["{file}"]),
    "PHP": (shutil.which("php"), ["-S", "127.0.0.1:{port}", "{file}"]),
    "Go": (shutil.which("go"), ["run", "{file}"]),
    "Java": (shutil.which("javac") and shutil.which("java"), ["{file}"]),
}
PRESENT = [
    pytest.param((dialect, receiver), id=receiver.file)
    for dialect, receivers in RECEIVERS.items()
    for receiver in receivers
    if PROGRAMS[receiver.language][0]
]
#: Letters are signed with the first; a receiver knows both while a secret is rolled.
NEW, OLD = secrets.new_secret("standard"), secrets.new_secret("standard")
PATIENCE = 90  # seconds; Go builds before it starts


@dataclass(frozen=True)
class Running:
    """A receiver that runs: what it is called, its log, and what it has handled."""

    dialect: str
    url: str
    keys: SigningKeys
    folder: Path

    def post(self, letter: Letter) -> int:
        return _post(self.url, letter.body, letter.headers)

    def letter(self, name: str, *, ago: timedelta = timedelta(0)) -> Letter:
        at = datetime.now(UTC) - ago
        letter = compose(self.dialect, samples.sample_news(name), self.keys, at)
        assert letter
        return letter

    @property
    def handled(self) -> int:
        done = self.folder / "done"
        return len(list(done.iterdir())) if done.exists() else 0


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    # A plain client joins nothing: of two spellings of one header, one is enough.
    sent = {name: value for name, value in headers.items() if name != "paysecure_sign"}
    request = urllib.request.Request(url, data=body, headers=sent, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(params=PRESENT, scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """Each receiver that can run here, in a folder of its own, from its shown text."""
    dialect, receiver = request.param
    folder = tmp_path_factory.mktemp(receiver.language)
    private, public = rsa.new_pair()
    port = _free_port()
    process = _start(receiver, folder, port, _settings(dialect, public))
    keys = SigningKeys((NEW,), private)
    try:
        _wait_for(port, process, folder)
        yield Running(dialect, f"http://127.0.0.1:{port}/in", keys, folder)
    finally:
        _end(process)


def _settings(dialect: str, public: str) -> dict[str, str]:
    lines = [line for line in public.splitlines() if "-----" not in line]
    # Stripe's library takes one secret: while rolled, each letter fits either.
    known = NEW if dialect == "stripe" else f"{NEW} {OLD}"
    return {"WEBHOOK_SECRET": known, "PUBLIC_KEY": "".join(lines)}


def _start(
    receiver: Receiver, folder: Path, port: int, settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    file = folder / receiver.file
    file.write_text(receiver.text, encoding="utf-8")
    program, words = PROGRAMS[receiver.language]
    command = [word.format(file=file, port=port) for word in words]
    kept = ("PATH", "HOME", "GOCACHE", "GOROOT", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= settings | {"PORT": str(port), "EVENTS_DONE": str(folder / "done")}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [str(program), *command],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,  # `go run` starts the receiver as its own child
        )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"it does not listen: {(folder / 'log').read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, 9)
    process.wait()


# ------------------------------------------------------------------------------- run
def test_every_dialect_has_a_receiver_and_python_at_least_is_run() -> None:
    assert list(RECEIVERS) == list(DIALECTS)
    languages = {receiver.language for receiver in RECEIVERS["standard"]}
    assert languages == {"Python", "Node", "PHP", "Go"}
    assert {param.id for param in PRESENT} >= {
        "standard.py",
        "stripe_events.py",
        "paysuper.py",
    }


def test_it_passes_every_case_of_the_tester(running: Running) -> None:
    now = datetime.now(UTC)
    answers = {
        case.name: [
            handler_tester.judge(case, running.post(letter)) for letter in case.letters
        ]
        for case in handler_tester.cases(running.dialect, running.keys, now)
    }
    wrong = [
        (name, verdict.words)
        for name, verdicts in answers.items()
        for verdict in verdicts
        if not verdict.passed
    ]
    assert not wrong


def test_an_event_that_comes_twice_is_handled_once(running: Running) -> None:
    letter = running.letter("payment.success")
    before = running.handled
    assert [running.post(letter) for _ in range(3)] == [200, 200, 200]
    assert running.handled == before + 1


def test_a_changed_byte_is_refused(running: Running) -> None:
    letter = running.letter("payment.success")
    changed = letter.body.replace(b"Ada Example", b"Eve Example")
    if running.dialect == "paysecure":  # which signs no more than id, status and brand
        changed = letter.body.replace(b'"PAID"', b'"HOLD"')
    assert changed != letter.body
    before = running.handled
    assert 400 <= running.post(Letter(changed, letter.headers)) < 500
    assert running.handled == before


def test_a_letter_without_a_signature_is_refused(running: Running) -> None:
    body = running.letter("payment.success").body
    before = running.handled
    plain = {"Content-Type": "application/json"}
    assert 400 <= running.post(Letter(body, plain)) < 500
    assert running.handled == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a":1}', b"\xff\xfe"])
def test_what_is_no_event_is_refused_and_breaks_nothing(
    running: Running, body: bytes
) -> None:
    plain = {"Content-Type": "application/json"}
    assert 400 <= running.post(Letter(body, plain)) < 500
    assert running.post(running.letter("payment.success")) == 200


def test_the_old_secret_is_good_while_it_is_rolled(running: Running) -> None:
    if running.dialect in {"stripe", "paysecure"}:
        return  # each letter fits either secret; there is none
    at = datetime.now(UTC)
    news = samples.sample_news("payment.success")
    letter = compose(running.dialect, news, SigningKeys((OLD,)), at)
    assert letter
    assert running.post(letter) == 200


def test_either_spelling_of_paysecures_header_will_do(running: Running) -> None:
    if running.dialect != "paysecure":
        return
    letter = running.letter("payment.success")
    signature = letter.headers["paysecure_sign"]
    for name in ("paysecure_sign", "paysecure-sign"):
        request = urllib.request.Request(
            running.url, data=letter.body, headers={name: signature}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
