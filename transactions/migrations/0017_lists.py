"""Lists of disputes and payouts, each page of them a walk along an index."""

import django.db.models.deletion
from django.db import migrations, models


def fill(apps, schema_editor):
    """Whose a dispute is, as its purchase says; without a date to answer by, its
    provider decides alone."""
    disputes = apps.get_model("transactions", "Dispute").objects
    transactions = apps.get_model("transactions", "Transaction").objects
    own = transactions.filter(pk=models.OuterRef("transaction_id"))
    disputes.update(
        **{
            name: models.Subquery(own.values(name)[:1])
            for name in ("project_id", "livemode")
        },
    )
    disputes.filter(status="open", due_by=None).update(in_review=True)
    if schema_editor.connection.vendor == "postgresql":
        # Checks wait for the end otherwise, and no table with some can be altered.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def owner(related_name, **more):
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to="merchant.project",
        **more,
    )


def newest_first(*narrowed, name):
    return models.Index(
        fields=["project", "livemode", *narrowed, "-created", "-id"], name=name
    )


class Migration(migrations.Migration):
    dependencies = [("transactions", "0016_changes")]

    operations = [
        migrations.AddField("dispute", "project", owner("disputes", null=True)),
        migrations.AddField("dispute", "livemode", models.BooleanField(default=True)),
        migrations.AddField(
            "dispute",
            "in_review",
            models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("dispute", "project", owner("disputes")),
        migrations.AlterField("payout", "project", owner("payouts")),
        migrations.AddIndex("dispute", newest_first(name="dispute_by_project")),
        migrations.AddIndex(
            "dispute", newest_first("status", name="dispute_by_status")
        ),
        migrations.AddIndex(
            "dispute",
            models.Index(fields=["provider_id"], name="dispute_by_provider_id"),
        ),
        migrations.AddIndex("payout", newest_first(name="payout_by_project")),
        migrations.AddIndex("payout", newest_first("status", name="payout_by_status")),
    ]
