"""Notes by staff on a transaction: add, edit, remove. Only the author changes one."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import transaction as database
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.models import Member
from transactions.models import Note, Transaction

#: Characters that a note may have.
MOST = 5000

#: What PostgreSQL will not store as text: NUL and half a surrogate pair.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class NotPossible(Exception):
    """The note cannot be kept like this; `str()` is a sentence for staff."""


class NotYours(NotPossible):
    """Somebody else wrote it."""


@database.atomic
def add(by: Member, transaction: UUID, text: str) -> Note:
    """Keeps what `by` wrote about a transaction. Raises NotPossible."""
    text = clean(text)
    _lock(transaction)
    note = Note.objects.create(
        transaction_id=transaction,
        author=by.user,
        author_name=str(by.user)[:160],
        text=text,
    )
    _mark(transaction)
    return note


@database.atomic
def edit(by: Member, note: Note, text: str) -> Note:
    """Puts other words in its place, and says so. Raises NotPossible."""
    _must_be_the_author(by, note)
    text = clean(text)
    if text != note.text:
        note.text, note.edited = text, timezone.now()
        note.save(update_fields=["text", "edited"])
    return note


@database.atomic
def remove(by: Member, note: Note) -> None:
    """Takes it away for good. Raises NotYours."""
    _must_be_the_author(by, note)
    _lock(note.transaction_id)
    note.delete()
    _mark(note.transaction_id)


def clean(text: str) -> str:
    """The text as it is kept. Raises NotPossible for none, or for one too long."""
    kept = _NOT_TEXT.sub("\ufffd", text.replace("\r\n", "\n")).strip()
    if not kept:
        raise NotPossible(_("Write something first: the note is empty."))
    if len(kept) > MOST:
        told = {"most": f"{MOST:,}", "length": f"{len(kept):,}"}
        raise NotPossible(
            _("A note has at most %(most)s characters, this one has %(length)s.") % told
        )
    return kept


def _must_be_the_author(by: Member, note: Note) -> None:
    if note.author_id != by.user_id:
        raise not_yours(note)


def not_yours(note: Note) -> NotYours:
    """Who may change it instead."""
    return NotYours(
        _("Only %s can change this note: they wrote it.") % note.author_name
    )


def _lock(transaction: UUID) -> None:
    """Two members who add and remove at once must not leave a wrong mark."""
    list(Transaction.objects.select_for_update().filter(pk=transaction).only("pk"))


def _mark(transaction: UUID) -> None:
    noted = Note.objects.filter(transaction_id=transaction).exists()
    Transaction.objects.filter(pk=transaction).update(noted=noted)
