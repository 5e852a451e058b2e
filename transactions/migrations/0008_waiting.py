"""The queue of some projects only: what waits is mostly new, and the queue begins with
the oldest, so that no other index leads to its beginning."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("transactions", "0007_bulk")]

    operations = [
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                fields=["project", "livemode", "created", "id"],
                condition=models.Q(fulfilment="waiting"),
                name="tx_waiting",
            ),
        ),
    ]
