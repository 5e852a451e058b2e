"""Who we are: merchants, their people, projects and accounts with providers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone

from merchant import ids, vault
from merchant.access import ROLES
from merchant.providers import CHOICES as PROVIDERS


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **more: Any) -> User:
        """A person who can sign in; the e-mail is folded to lower case."""
        user = self.model(email=email.strip().lower(), **more)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email=(email or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail is the login; what they may do is said by Member rows."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined = models.DateTimeField(default=timezone.now)
    time_zone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=8, default="auto")

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)


class Merchant(models.Model):
    """The business. Everything below belongs to exactly one and never meets another."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """One shop, store or brand of a merchant.

    `honour_callbacks`: a callback URL that stands in a provider's own data is called
    too, once the provider's API has confirmed it; else only those set through us are.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="projects")
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    honour_callbacks = models.BooleanField(default=False, db_default=False)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person's part in a merchant: a role, and for which projects (none = all)."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=[(role, role) for role in ROLES])
    projects = models.ManyToManyField(Project, blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "user"], name="member_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class Connection(models.Model):
    """A project's account with a provider.

    The uuid stands in the intake URL, so it is random and not time-ordered: who does
    not know it cannot knock. Its secrets are Secret rows and sealed fields; open them
    with merchant.connections.keys_of(). `heard` is when its provider last sent
    something and `usual_gap` the longest silence among its latest letters, in seconds
    (webhooks.silence looks every few minutes); both are null while nothing is known.
    `reports_to`: where a purchase lately said that it reports to, if not here: then
    its webhooks go past us and the provider should be polled; "" otherwise.
    `polled` is up to when its provider was asked for everything, `poll_asked` since
    when a member waits for that, `poll_trouble` why the last time did not work;
    `poll_leased_until` when others may ask, should who is asking have died.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="connections")
    provider = models.CharField(max_length=12, choices=PROVIDERS)
    livemode = models.BooleanField(default=True)
    sealed_api_key = models.TextField(blank=True)
    sealed_user_token = models.TextField(blank=True)
    base_url = models.URLField(max_length=500, blank=True)
    brand_ids = models.JSONField(default=list, blank=True)
    account = models.CharField(max_length=80, blank=True)
    demo = models.BooleanField(default=False)
    created = models.DateTimeField(default=timezone.now)
    closed = models.DateTimeField(null=True, blank=True)
    polled = models.DateTimeField(null=True, blank=True)
    poll_asked = models.DateTimeField(null=True, blank=True)
    poll_leased_until = models.DateTimeField(null=True, blank=True)
    poll_trouble = models.CharField(
        max_length=300, default="", db_default="", blank=True
    )
    heard = models.DateTimeField(null=True, blank=True)
    usual_gap = models.PositiveIntegerField(null=True, blank=True)
    reports_to = models.CharField(max_length=500, default="", db_default="", blank=True)

    def __str__(self) -> str:
        mode = "" if self.livemode else " (test)"
        return f"{self.project} · {self.get_provider_display()}{mode}"

    @property
    def intake_path(self) -> str:
        return f"/hooks/{self.provider}/{self.id}"

    @property
    def has_api_key(self) -> bool:
        return bool(self.sealed_api_key)


class Secret(models.Model):
    """One sealed key of a connection. Several live ones are a rotation."""

    KINDS = (
        ("signing", "signing secret"),
        ("public", "public key"),
        ("private", "private key"),
    )

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="secrets")
    kind = models.CharField(max_length=8, choices=KINDS)
    sealed = models.TextField()
    label = models.CharField(max_length=80, blank=True)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.connection_id}"

    @classmethod
    def sealed_for(
        cls,
        connection: Connection,
        kind: str,
        secret: str,
        expires: datetime | None = None,
    ) -> Secret:
        """A new row that holds the secret sealed; not saved yet."""
        row = cls(connection=connection, kind=kind, expires=expires)
        row.sealed = vault.seal(secret, purpose=f"connection.{kind}", row=row.id)
        return row

    def open(self) -> str:
        return vault.unseal(self.sealed, purpose=f"connection.{self.kind}", row=self.id)


class ApiKey(models.Model):
    """A key for the API: hashed, scoped, for one project; shown once, when made."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="api_keys")
    hashed = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=16)
    scopes = models.JSONField(default=list)
    label = models.CharField(max_length=80, blank=True)
    created = models.DateTimeField(default=timezone.now)
    used = models.DateTimeField(null=True, blank=True)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.label or self.hint


class RememberedAnswer(models.Model):
    """What the API answered to a request that came with an Idempotency-Key.

    `fingerprint`: sha256 hex of what was asked. `status` is null while it is still
    worked on, until `leased_until`; then whoever asks again may do it.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="remembered_answers", db_index=False
    )
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    leased_until = models.DateTimeField()
    created = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="asked_once"),
        ]

    def __str__(self) -> str:
        return self.key


class AuditEntry(models.Model):
    """Who did what, when. Rows are added; the database refuses to change one."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(
        Merchant, models.CASCADE, null=True, related_name="audit"
    )
    actor = models.ForeignKey(User, models.SET_NULL, null=True)
    actor_label = models.CharField(max_length=160)
    verb = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["merchant", "-id"], name="audit_by_merchant")]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.verb} {self.subject_type}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("An audit entry is written once and never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("An audit entry is never deleted.")
