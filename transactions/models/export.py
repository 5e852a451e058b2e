"""Files made from a list: each export, the columns kept for them, and what recurs."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from merchant import ids
from merchant.models import ApiKey, Member, Merchant, Project
from transactions.models.desk import BulkAction
from webhooks.models import Endpoint


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"
    PDF = "pdf", "PDF"
    JSONL = "jsonl", "JSON Lines"


class ExportStyle(models.TextChoices):
    """Whom the cells are written for: guarded and decimal, or raw minor units."""

    PEOPLE = "people", "For people"
    PROGRAMS = "programs", "For programs"


class ExportSchedule(models.Model):
    """An export that is made again for every day, week or month.

    `since` is where the next period begins, to the instant: a period ends at the first
    edge of its kind after it, in `time_zone`, and there the next one begins. So periods
    neither leave a gap nor overlap, whatever is changed in between.

    query       the list's filter in its cleanest spelling, without dates and mode
    listing, table  as of an export
    measure     which time of a row counts: when it was created, paid or, of a change of
                the balance, happened
    told        how far the files have told the journal (transactions.journal.mark);
                null: they have not begun to
    hour        of the day after the period, when the file is made: what a provider
                tells late is in by then
    due         when that is; null while paused
    members     who is mailed a link; endpoint: who is told with an event
    member      whose eyes the rows are seen through; gone, nothing is made
    """

    class Every(models.TextChoices):
        DAY = "day", "Every day"
        WEEK = "week", "Every week"
        MONTH = "month", "Every month"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(
        Merchant, models.CASCADE, related_name="export_schedules"
    )
    member = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="export_schedules"
    )
    name = models.CharField(max_length=60)
    listing = models.CharField(max_length=16, default="transactions")
    table = models.CharField(max_length=24, default="transactions")
    query = models.TextField(max_length=4000, blank=True)
    livemode = models.BooleanField(default=True)
    described = models.TextField(default="", blank=True)
    measure = models.CharField(max_length=8, default="created")
    format = models.CharField(max_length=5, choices=ExportFormat)
    style = models.CharField(max_length=8, choices=ExportStyle)
    columns = models.JSONField(default=list)
    mark = models.BooleanField(default=False)
    every = models.CharField(max_length=5, choices=Every)
    time_zone = models.CharField(max_length=64, default="UTC")
    hour = models.PositiveSmallIntegerField(default=6)
    since = models.DateTimeField()
    due = models.DateTimeField(null=True)
    told = models.BigIntegerField(null=True)
    members = models.ManyToManyField(Member, related_name="+", blank=True)
    endpoint = models.ForeignKey(
        Endpoint, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    error = models.CharField(max_length=300, default="", blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["due"], condition=Q(due__isnull=False), name="schedule_due"
            ),
            models.Index(fields=["merchant", "-id"], name="schedule_by_merchant"),
        ]

    def __str__(self) -> str:
        return self.name


class Export(models.Model):
    """One file made from a list: exactly what its filter shows at one moment.

    pending     waits for a worker
    running     somebody makes it under `lease`, renewed every few seconds; when
                `leased_until` is past, another one begins again
    ready       the file is there until `expires`; afterwards only this row tells of it
    failed      `error` says why, in words
    canceled    stopped by a member; there is no file

    listing     the name of the list (transactions.exporting.lists); `table`: in which
                of its tables (transactions.exports.table) the file tells it
    query       the filter in its cleanest spelling, `described` in words; `bulk`: the
                rows of that draft instead
    period_by   of balance changes, whose time the filter's dates are about: that of the
                change ("happened") or of its purchase ("purchase")
    told_from, told_to  of a schedule's balance changes: up to which mark the file
                before told them, and this one does
    columns     keys in their order; `mark`: a CSV begins with a byte order mark
    projects    those whose rows it may hold; `whole`: all of the merchant's. Who may
                download it is who sees all of them
    member      who asked, or `key`, an API key; `asker` their name
    schedule    what it was made for, if it comes again; `since` and `until`: the period
    rows_total  null while nobody has counted; `rows_done` is true to the second
    receipt     what the file says of itself: sums, sha256, period, by whom
    file        its name in DATA_DIR/exports, "" without one
    at_once     made in the request that asked for it
    seen        whether nobody has to be told on a page (any more) that it is over
    mail_due    when its mail is to be sent; null: no more
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        RUNNING = "running", "Running"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="exports")
    member = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="exports"
    )
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    asker = models.CharField(max_length=160)
    schedule = models.ForeignKey(
        ExportSchedule, models.SET_NULL, null=True, related_name="exports"
    )
    bulk = models.ForeignKey(
        BulkAction, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    listing = models.CharField(max_length=16)
    table = models.CharField(max_length=24)
    query = models.TextField(blank=True)
    livemode = models.BooleanField(null=True)
    described = models.TextField(default="", blank=True)
    format = models.CharField(max_length=5, choices=ExportFormat)
    style = models.CharField(max_length=8, choices=ExportStyle)
    columns = models.JSONField(default=list)
    time_zone = models.CharField(max_length=64, default="UTC")
    mark = models.BooleanField(default=False)
    projects = models.ManyToManyField(Project, related_name="+", blank=True)
    whole = models.BooleanField(default=False)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    period_by = models.CharField(max_length=8, default="", blank=True)
    told_from = models.BigIntegerField(null=True)
    told_to = models.BigIntegerField(null=True)

    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(null=True)
    receipt = models.JSONField(null=True)
    file = models.CharField(max_length=80, default="", blank=True)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, default="", blank=True)
    error = models.CharField(max_length=300, default="", blank=True)
    at_once = models.BooleanField(default=False)
    seen = models.BooleanField(default=True)
    mail_due = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "since"],
                condition=Q(schedule__isnull=False),
                name="export_once_per_period",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="export_by_merchant"),
            models.Index(
                fields=["created"],
                condition=Q(state__in=["pending", "running"]),
                name="export_due",
            ),
            models.Index(
                fields=["member"], condition=Q(seen=False), name="export_news"
            ),
            models.Index(
                fields=["mail_due"],
                condition=Q(mail_due__isnull=False),
                name="export_mail",
            ),
            models.Index(
                fields=["expires"], condition=~Q(file=""), name="export_expiry"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_format_display()} of {self.listing}, {self.created:%Y-%m-%d}"

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.PENDING, self.State.RUNNING)

    def has_file(self, now: datetime) -> bool:
        """Whether it can be downloaded: made, not deleted and not past its time."""
        return (
            self.state == self.State.READY
            and bool(self.file)
            and self.expires is not None
            and now < self.expires
        )


class ExportPreset(models.Model):
    """Columns of a table under a name, kept by a member for the next export."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    member = models.ForeignKey(
        Member, models.CASCADE, related_name="export_presets", db_index=False
    )
    table = models.CharField(max_length=24)
    name = models.CharField(max_length=60)
    columns = models.JSONField(default=list)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member", "table", "name"], name="preset_name_once"
            ),
        ]
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name
