"""What becomes of an export: made, stopped, expired, or refused at the door."""

from __future__ import annotations

import errno
import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from merchant.models import Member, Project
from tests.factories import make_member, make_project, make_transaction
from transactions import exporting
from transactions.exporting import NotPossible, Wish, files, running
from transactions.exports import writing
from transactions.models import Export

pytestmark = pytest.mark.django_db(transaction=True)
State = Export.State


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return files.folder()


@pytest.fixture
def finance(project: Project) -> Member:
    make_transaction(project=project)
    return make_member("finance", merchant=project.merchant)


@pytest.fixture
def waiting(finance: Member, monkeypatch: pytest.MonkeyPatch) -> Export:
    """An export that is too large for the request that asked for it."""
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", 0)
    return exporting.start(finance, Wish(livemode=True))


def now(export: Export) -> Export:
    export.refresh_from_db()
    return export


# -------------------------------------------------------------------------- the worker
def test_it_ends_in_a_mail_with_a_link_and_no_data(
    waiting: Export, finance: Member
) -> None:
    exporting.run_due()
    assert now(waiting).state == State.READY
    (sent,) = mail.outbox
    assert sent.to == [finance.user.email]
    assert f"/exports/{waiting.pk}/" in sent.body
    assert "Ada Byron" not in sent.body
    exporting.run_due()
    assert len(mail.outbox) == 1


def test_nobody_waits_for_the_files_of_others(
    waiting: Export, finance: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail of the first goes before the second is begun."""
    second = exporting.start(finance, Wish(livemode=True, format="jsonl"))
    sent: list[int] = []
    make = running.making.make

    def noted(export: Export, *given: object, **named: object) -> writing.Receipt:
        sent.append(len(mail.outbox))
        return make(export, *given, **named)

    monkeypatch.setattr(running.making, "make", noted)
    exporting.run_due()
    assert (sent, now(second).state) == ([0, 1], State.READY)


def test_one_made_at_once_sends_none(finance: Member) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    exporting.run_due()
    assert (export.state, export.at_once) == (State.READY, True)
    assert mail.outbox == []


def test_a_mail_server_that_is_away_is_tried_again(
    waiting: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as away:
        away.setattr("transactions.exporting.telling._send", refuse)
        exporting.run_due()
    assert now(waiting).state == State.READY
    Export.objects.update(mail_due=timezone.now())
    exporting.run_due()
    assert len(mail.outbox) == 1


def test_a_lease_that_is_up_is_taken_over(waiting: Export) -> None:
    dead = timezone.now() - timedelta(seconds=1)
    Export.objects.update(
        state=State.RUNNING, lease=uuid4(), leased_until=dead, rows_done=7
    )
    assert exporting.run_due() == 1
    assert (now(waiting).state, waiting.rows_done) == (State.READY, 1)


def test_a_lease_that_holds_is_left_alone(waiting: Export) -> None:
    later = timezone.now() + timedelta(seconds=10)
    Export.objects.update(state=State.RUNNING, lease=uuid4(), leased_until=later)
    assert exporting.run_due() == 0


def test_a_late_writer_changes_nothing(
    waiting: Export, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease was up and another has the export by now."""
    written, other = writing.write, uuid4()

    def slow(*args: object) -> writing.Receipt:
        receipt = written(*args)  # type: ignore[arg-type]
        Export.objects.update(lease=other, leased_until=timezone.now() + running.LEASE)
        return receipt

    monkeypatch.setattr(writing, "write", slow)
    exporting.run_due()
    assert (now(waiting).state, waiting.lease) == (State.RUNNING, other)
    assert list(own_folder.iterdir()) == []


def test_one_that_kills_every_worker_is_given_up(waiting: Export) -> None:
    Export.objects.update(tries=running.MOST_TRIES)
    exporting.run_due()
    assert now(waiting).state == State.FAILED
    assert "never came to its end" in waiting.error


# ------------------------------------------------------------------------------ stopped
def test_a_canceled_one_is_not_begun(waiting: Export, finance: Member) -> None:
    assert exporting.cancel(finance, waiting)
    assert not exporting.cancel(finance, waiting)
    exporting.run_due()
    assert now(waiting).state == State.CANCELED


def test_who_is_making_it_hears_that_nobody_wants_it(
    waiting: Export, finance: Member, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, heard = threading.Event(), threading.Event()

    def endless(spec, source, path, progress, stopped, counted) -> None:  # noqa: ANN001
        counted(1_000)
        progress(10)
        begun.set()
        while not stopped():
            heard.wait(0.01)
        heard.set()
        raise writing.Stopped

    monkeypatch.setattr(writing, "write", endless)

    def work() -> None:
        exporting.run_due()
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(20)
    exporting.cancel(finance, waiting)
    assert heard.wait(20)
    worker.join(20)
    assert now(waiting).state == State.CANCELED
    assert list(own_folder.iterdir()) == []


def test_a_full_disk_leaves_no_half_file(
    waiting: Export, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("transactions.exports.writing.os.fsync", full)
    exporting.run_due()
    assert now(waiting).state == State.FAILED
    assert "disk of the server is full" in waiting.error
    assert list(own_folder.iterdir()) == []
    (sent,) = mail.outbox
    assert "disk of the server is full" in sent.body


def test_a_failure_of_ours_is_told_without_its_secrets(
    waiting: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*args: object) -> None:
        raise ZeroDivisionError("Ada Byron")

    monkeypatch.setattr(writing, "write", break_down)
    exporting.run_due()
    assert now(waiting).state == State.FAILED
    assert "ZeroDivisionError" in waiting.error
    assert "Ada" not in waiting.error


def test_a_pdf_of_more_than_anybody_reads_is_refused(
    finance: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.making.MOST_IN_PDF", 0)
    export = exporting.start(finance, Wish(livemode=True, format="pdf"))
    assert export.state == State.FAILED
    assert "Choose Excel or CSV" in export.error


# -------------------------------------------------------------------------- at the door
def test_a_role_that_is_lost_opens_nothing(finance: Member) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    Member.objects.filter(pk=finance.pk).update(role="viewer")
    with pytest.raises(PermissionError):
        exporting.open_file(Member.objects.get(pk=finance.pk), export)


def test_a_role_that_is_lost_before_makes_nothing(
    waiting: Export, finance: Member
) -> None:
    Member.objects.filter(pk=finance.pk).update(role="viewer")
    exporting.run_due()
    assert now(waiting).state == State.FAILED
    assert "may not export" in waiting.error


def test_projects_that_are_lost_open_nothing(finance: Member) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    finance.projects.set([make_project(merchant=finance.merchant)])
    with pytest.raises(Export.DoesNotExist):
        exporting.open_file(Member.objects.get(pk=finance.pk), export)


def test_a_colleague_opens_what_they_may_see(finance: Member, project: Project) -> None:
    query = f"project={project.slug}"
    narrow = exporting.start(finance, Wish(livemode=True, query=query))
    whole = exporting.start(finance, Wish(livemode=True))
    colleague = make_member("support", merchant=finance.merchant, projects=[project])
    exporting.open_file(colleague, narrow).file.close()
    with pytest.raises(Export.DoesNotExist):
        exporting.open_file(colleague, whole)


def test_another_merchant_opens_nothing(finance: Member, stranger: Member) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    assert not exporting.visible_to(stranger).exists()
    with pytest.raises(Export.DoesNotExist):
        exporting.open_file(stranger, export)


# --------------------------------------------------------------------------- its end
def test_after_seven_days_there_is_no_file(finance: Member, own_folder: Path) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    assert export.expires is not None
    assert export.expires - timezone.now() > timedelta(days=6, hours=23)
    Export.objects.update(expires=timezone.now())
    with pytest.raises(NotPossible):
        exporting.open_file(finance, export)
    assert exporting.tidy() == 1
    assert list(own_folder.iterdir()) == []
    assert now(export).sha256


def test_a_deleted_one_leaves_nothing(finance: Member, own_folder: Path) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    exporting.delete(finance, export)
    assert not Export.objects.exists()
    assert list(own_folder.iterdir()) == []


def test_a_file_that_is_gone_from_the_disk_is_said_so(
    finance: Member, own_folder: Path
) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    (own_folder / export.file).unlink()
    with pytest.raises(NotPossible, match="gone from the disk"):
        exporting.open_file(finance, export)


def test_it_is_one_picture_while_payments_arrive(
    project: Project, waiting: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment between the count and the rows is in neither."""
    for _number in range(3):
        make_transaction(project=project)
    written = writing.write

    def arriving(spec, source, path, progress, stopped, counted):  # noqa: ANN001, ANN202
        def then_one_arrives(total: int) -> None:
            counted(total)
            late = threading.Thread(target=_sell, args=(project,))
            late.start()
            late.join()

        return written(spec, source, path, progress, stopped, then_one_arrives)

    monkeypatch.setattr(writing, "write", arriving)
    exporting.run_due()
    receipt = now(waiting).receipt
    assert receipt is not None
    assert receipt["rows"] == waiting.rows_done == 4
    assert sum(sums["rows"] for sums in receipt["sums"]) == 4
    assert project.merchant.exports.get().rows_total == 4


def _sell(project: Project) -> None:
    make_transaction(project=project)
    connection.close()
