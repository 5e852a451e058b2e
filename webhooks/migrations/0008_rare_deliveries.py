from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def copy_mode(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """From the events; only test ones differ from what the new column says."""
    rows = apps.get_model("webhooks", "Delivery").objects
    rows.filter(event__livemode=False).update(livemode=False)


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0007_demo_endpoints")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="livemode",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("livemode", False)),
                fields=["project", "-id"],
                name="event_of_test",
            ),
        ),
        migrations.RunPython(copy_mode, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("livemode", False)),
                fields=["project", "-id"],
                name="delivery_of_test",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(
                    (
                        "name__in",
                        (
                            "payment.created",
                            "payment.pending",
                            "payment.success",
                            "payment.updated",
                            "fulfilment.done",
                        ),
                    ),
                    _negated=True,
                ),
                fields=["project", "name", "-id"],
                name="delivery_by_rare_name",
            ),
        ),
    ]
