"""The cast, their browsers, and what a test may rely on."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client

from merchant.models import Member, Merchant, Project
from tests.factories import make_member, make_merchant, make_project

# Playwright's loop runs in the test's thread, beside the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

CHROMIUM = os.environ.get("UI_CHROMIUM", "/usr/bin/chromium")


# ------------------------------------------------------------ what must be at hand
def _has_postgres() -> bool:
    return settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


#: marker -> (is it at hand?, how to get it).
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "browser": (
        lambda: Path(CHROMIUM).exists(),
        f"no Chromium at {CHROMIUM}: apt-get install chromium, or set UI_CHROMIUM",
    ),
    "postgres": (
        _has_postgres,
        "not on PostgreSQL: set DATABASE_URL=postgres://... (make test starts one)",
    ),
    "redis": (
        lambda: bool(settings.REDIS_URL) and bool(shutil.which("redis-server")),
        "no Redis: apt-get install redis-server and set REDIS_URL (make test does)",
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what asks a database, so that the second one need not run the rest."""
    for item in items:
        fixtures = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
        if fixtures or item.get_closest_marker("django_db"):
            item.add_marker("database")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (at_hand, how) in NEEDS.items():
        if item.get_closest_marker(marker) and not at_hand():
            if os.environ.get("CI") == "true":
                pytest.fail(how, pytrace=False)
            pytest.skip(how)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a skipped test is a failure, unless it calls itself optional."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    needed = [report for report in skipped if "optional:" not in str(report.longrepr)]
    if os.environ.get("CI") == "true" and needed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def django_db_keepdb(
    django_db_keepdb: bool, django_db_modify_db_settings_parallel_suffix: None
) -> bool:
    """On SQLite a migrated file is kept as it is; PostgreSQL copies by itself."""
    if _has_postgres() or not settings.MIGRATED_SQLITE:
        return django_db_keepdb
    copy = settings.DATABASES["default"]["TEST"]["NAME"]
    shutil.copyfile(settings.MIGRATED_SQLITE, copy)
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> None:
    """On SQLite the audit log may be emptied between tests."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER merchant_audit_no_delete")
        else:
            # Of the class: every thread has a connection of its own.
            type(connection.ops).sql_flush = _sql_to_empty


def _sql_to_empty(
    _ops: object, _style: object, tables: Sequence[str], **_how: object
) -> list[str]:
    """Empties PostgreSQL's tables after a test, past constraints and triggers.

    TRUNCATE makes new files for every table and index, the empty ones too, which takes
    a hundred times as long as these few rows do.
    """
    with connection.cursor() as cursor:
        asked = (f"(SELECT '{table}' FROM \"{table}\" LIMIT 1)" for table in tables)
        cursor.execute(" UNION ALL ".join(asked))
        full = [table for (table,) in cursor.fetchall()]
    emptied = [f'DELETE FROM "{table}";' for table in full]
    role = "SET session_replication_role = "
    return [f"{role} replica;", *emptied, f"{role} DEFAULT;"] if full else []


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    """Limits counted in one test must not close a door in the next.

    The database cache goes back with the test's transaction; Redis does not.
    """
    if settings.REDIS_URL:
        cache.clear()


# ------------------------------------------------------------------------ the cast
@pytest.fixture
def merchant(db: None) -> Merchant:
    return make_merchant(name="Dragon Games", slug="dragon")


@pytest.fixture
def project(merchant: Merchant) -> Project:
    return make_project(merchant=merchant, name="Dragon Shop", slug="dragon-shop")


@pytest.fixture
def owner(project: Project) -> Member:
    return make_member("owner", merchant=project.merchant)


@pytest.fixture
def developer(project: Project) -> Member:
    return make_member("developer", merchant=project.merchant)


@pytest.fixture
def support(project: Project) -> Member:
    """May read transactions, not inbound events."""
    return make_member("support", merchant=project.merchant)


@pytest.fixture
def viewer(project: Project) -> Member:
    return make_member("viewer", merchant=project.merchant)


@pytest.fixture
def stranger(db: None) -> Member:
    """Owner of another merchant: must never see anything of ours."""
    return make_member("owner")


def client_of(member: Member) -> Client:
    """A browser in which the member is signed in."""
    client = Client()
    client.force_login(
        member.user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def fresh_client_of(member: Member) -> Client:
    """A browser in which the member has just proved who they are."""
    client = client_of(member)
    session = client.session
    session["account_authentication_methods_user"] = user_id_to_str(member.user)
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time()}
    ]
    session.save()
    return client


@pytest.fixture
def owner_client(owner: Member) -> Client:
    return client_of(owner)


@pytest.fixture
def developer_client(developer: Member) -> Client:
    return client_of(developer)


@pytest.fixture
def support_client(support: Member) -> Client:
    return client_of(support)


@pytest.fixture
def viewer_client(viewer: Member) -> Client:
    return client_of(viewer)


@pytest.fixture
def stranger_client(stranger: Member) -> Client:
    return client_of(stranger)


# ---------------------------------------------------------------------- real browser
@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    }


@pytest.fixture
def expected_faults() -> list[str]:
    """Parts of console messages that a test provokes: add "404" for a missing page.

    A 422 is how a form says what is wrong, so it is always allowed.
    """
    return ["status of 422"]


@pytest.fixture
def page(page, live_server, expected_faults: list[str]) -> Iterator:
    """A page; script errors, CSP reports and calls to other hosts fail its test."""
    faults: list[str] = []

    def guard(route) -> None:
        url = route.request.url
        if url.startswith((live_server.url, "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"a request left the house: {url}")
            route.abort()

    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.route("**/*", guard)
    yield page
    left = [f for f in faults if not any(word in f for word in expected_faults)]
    assert not left, left


@pytest.fixture
def sign_in(page, live_server) -> Callable[..., None]:
    """sign_in(member): the page's browser is theirs from now on; `fresh`: they have
    just typed their password."""

    def sign_in(member: Member, *, fresh: bool = False) -> None:
        name = settings.SESSION_COOKIE_NAME
        client = fresh_client_of(member) if fresh else client_of(member)
        value = client.cookies[name].value
        page.context.add_cookies(
            [{"name": name, "value": value, "url": live_server.url}]
        )

    return sign_in
