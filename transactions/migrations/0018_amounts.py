"""How an export writes amounts, chosen beside its style."""

from django.db import migrations, models


def amounts():
    return models.CharField(
        blank=True,
        choices=[("decimal", "Decimal"), ("minor", "Minor units")],
        db_default="",
        default="",
        max_length=7,
    )


class Migration(migrations.Migration):
    dependencies = [("transactions", "0017_lists")]

    operations = [
        migrations.AddField("export", "amounts", amounts()),
        migrations.AddField("exportschedule", "amounts", amounts()),
    ]
