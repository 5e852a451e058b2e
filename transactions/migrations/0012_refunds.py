"""Refunds that we ask for live in the rows that tell of them."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def fill(apps, schema_editor):
    """What is known so far was made elsewhere: its provider's id tells it apart."""
    refunds = apps.get_model("transactions", "Refund").objects
    transactions = apps.get_model("transactions", "Transaction").objects
    own = transactions.filter(pk=models.OuterRef("transaction_id"))
    refunds.update(
        key=models.F("provider_id"),
        **{
            name: models.Subquery(own.values(name)[:1])
            for name in ("merchant_id", "project_id", "livemode")
        },
    )
    if schema_editor.connection.vendor == "postgresql":
        # Checks wait for the end otherwise, and no table with some can be altered.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("merchant", "0005_refunds"),
        ("transactions", "0011_amounts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundLimit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("role", models.CharField(max_length=12)),
                ("currency", models.CharField(max_length=3)),
                ("each", models.BigIntegerField(null=True)),
                ("daily", models.BigIntegerField(null=True)),
                ("changed", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["role", "currency"],
            },
        ),
        migrations.AlterModelOptions(
            name="refund",
            options={"ordering": ["created", "key"]},
        ),
        migrations.RemoveConstraint(
            model_name="refund",
            name="refund_once",
        ),
        migrations.AddField(
            model_name="refund",
            name="after",
            field=models.CharField(
                blank=True,
                choices=[
                    ("keep", "The customer keeps it"),
                    ("revoke", "It is taken back"),
                ],
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="asked",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="asked_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="asked_with",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="asker",
            field=models.CharField(blank=True, default="", max_length=160),
        ),
        migrations.AddField(
            model_name="refund",
            name="by_hand",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="refund",
            name="decided",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="decided_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="due",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="error",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=500
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="expires",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="key",
            field=models.CharField(default="", max_length=200),
        ),
        migrations.AddField(
            model_name="refund",
            name="lease",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="leased_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="line",
            field=models.CharField(blank=True, default="", max_length=120),
        ),
        migrations.AddField(
            model_name="refund",
            name="livemode",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="merchant",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="merchant.merchant",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="note",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="refund",
            name="notify",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="refund",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="merchant.project",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="sent",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="stopping",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="refund",
            name="tries",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="refund",
            name="unsent",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="refund",
            name="provider_id",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AlterField(
            model_name="refund",
            name="status",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("awaiting_approval", "Waits for approval"),
                    ("approved", "Approved"),
                    ("submitted", "Submitted"),
                    ("unknown", "Not known yet"),
                    ("pending", "Pending"),
                    ("requires_action", "Waits for the customer"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("canceled", "Canceled"),
                    ("declined", "Declined"),
                    ("expired", "Expired"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="timelineentry",
            name="source",
            field=models.CharField(
                choices=[
                    ("webhook", "webhook"),
                    ("look_up", "look-up"),
                    ("poll", "poll"),
                    ("staff", "staff"),
                    ("system", "Merchant"),
                    ("answer", "refund answer"),
                    ("api", "API"),
                ],
                max_length=8,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="refund",
            name="key",
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name="refund",
            name="merchant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                to="merchant.merchant",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="refunds",
                to="merchant.project",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("due__isnull", False)),
                fields=["due"],
                name="refund_due",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("asked_by__isnull", False)),
                fields=["asked_by", "created"],
                name="refund_by_member",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("asked_with__isnull", False)),
                fields=["asked_with", "created"],
                name="refund_by_key",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("status", "awaiting_approval")),
                fields=["expires"],
                name="refund_to_approve",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                fields=["merchant", "livemode", "-created", "-id"], name="refund_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                fields=["project", "livemode", "-created", "-id"],
                name="refund_by_project",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                fields=["merchant", "livemode", "status", "-created", "-id"],
                name="refund_by_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                fields=("transaction", "key"), name="refund_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("decided_by", models.F("asked_by")), _negated=True),
                name="refund_approved_by_another",
            ),
        ),
        migrations.AddField(
            model_name="refundlimit",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="refund_limits",
                to="merchant.project",
            ),
        ),
        migrations.AddField(
            model_name="refundlimit",
            name="set_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="refundlimit",
            constraint=models.UniqueConstraint(
                fields=("project", "role", "currency"), name="refund_limit_once"
            ),
        ),
    ]
