"""A wrong value stops the start and names itself; safe defaults otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.live import ROOT

SHOW = """
import json
from django.conf import settings
names = {names!r}
print(json.dumps({{name: getattr(settings, name) for name in names}}))
"""


def start(
    folder: Path, *command: str, **environment: str
) -> subprocess.CompletedProcess:
    given = {
        "PATH": "/usr/bin:/bin",
        "DATA_DIR": str(folder),
        "SECRET_KEY": "long enough for a test",
        "DJANGO_SETTINGS_MODULE": "merchant.settings",
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    return subprocess.run(
        [sys.executable, *command],
        env={name: value for name, value in given.items() if value != "unset"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def seen(folder: Path, *names: str, **environment: str) -> dict[str, Any]:
    done = start(folder, "-c", SHOW.format(names=names), **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("ENCRYPTION_KEYS", "not-a-fernet-key"),
        ("DATABASE_URL", "nonsense://x"),
        ("EMAIL_URL", "carrier-pigeon://x"),
        ("REDIS_URL", "http://not.redis"),
        ("PORT", "eighty"),
        ("DEBUG", "perhaps"),
        ("PUBLIC_URL", "pay.example.com"),
        ("PUBLIC_URL", "ftp://pay.example.com"),
        ("ALLOW_PRIVATE_ENDPOINTS", "sometimes"),
        ("PROXY_HOPS", "-1"),
        ("SANDBOX_URL", "nowhere"),
    ],
)
def test_a_wrong_value_names_itself(tmp_path: Path, name: str, value: str) -> None:
    done = start(tmp_path, str(ROOT / "manage.py"), "check", **{name: value})
    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_value_does_not_show_a_secret(tmp_path: Path) -> None:
    keys = f"{Fernet.generate_key().decode()},oops-this-is-no-key"
    done = start(tmp_path, str(ROOT / "manage.py"), "check", ENCRYPTION_KEYS=keys)
    assert "oops" not in done.stderr + done.stdout


def test_the_defaults_are_safe(tmp_path: Path) -> None:
    names = ["DEBUG", "ALLOW_PRIVATE_ENDPOINTS", "REDIS_URL", "PUBLIC_URL"]
    assert seen(tmp_path, *names) == {
        "DEBUG": False,
        "ALLOW_PRIVATE_ENDPOINTS": False,
        "REDIS_URL": "",
        "PUBLIC_URL": "http://127.0.0.1:8000",
    }


def test_an_empty_value_is_no_value(tmp_path: Path) -> None:
    names = ["EMAIL_URL", "DATABASE_URL", "PORT", "PUBLIC_URL", "DEBUG"]
    found = seen(tmp_path, "PORT", "EMAIL_BACKEND", **dict.fromkeys(names, ""))
    assert found["PORT"] == 8000
    assert "filebased" in found["EMAIL_BACKEND"]


def test_https_switches_on_what_needs_it(tmp_path: Path) -> None:
    names = ["SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SECURE_HSTS_SECONDS"]
    found = seen(tmp_path, *names, PUBLIC_URL="https://pay.example.com")
    assert found["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert found["SESSION_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] > 0


def test_http_switches_it_off(tmp_path: Path) -> None:
    names = ["SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT"]
    found = seen(tmp_path, *names)
    assert found == {
        "SESSION_COOKIE_NAME": "session",
        "SESSION_COOKIE_SECURE": False,
        "SECURE_SSL_REDIRECT": False,
    }


def test_the_public_host_is_allowed_by_itself(tmp_path: Path) -> None:
    environment = {"PUBLIC_URL": "https://pay.example.com", "ALLOWED_HOSTS": "a.b"}
    found = seen(tmp_path, "ALLOWED_HOSTS", **environment)
    assert found["ALLOWED_HOSTS"] == ["pay.example.com", "a.b"]


def test_keys_made_by_the_first_start_are_found(tmp_path: Path) -> None:
    done = start(tmp_path, str(ROOT / "scripts" / "first_start.py"))
    assert done.returncode == 0, done.stderr
    file = tmp_path / "keys.env"
    assert file.stat().st_mode & 0o777 == 0o600
    found = seen(tmp_path, "SECRET_KEY", "ENCRYPTION_KEYS", SECRET_KEY="unset")
    assert found["SECRET_KEY"] in file.read_text()
    assert len(found["ENCRYPTION_KEYS"]) == 1


def test_a_second_start_keeps_the_keys(tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "first_start.py")
    start(tmp_path, script)
    before = (tmp_path / "keys.env").read_text()
    start(tmp_path, script)
    assert (tmp_path / "keys.env").read_text() == before
