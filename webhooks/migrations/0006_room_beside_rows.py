"""A delivery is claimed and an endpoint paced by a change of columns that no index has.
With room for it on the row's own page such a change touches no index at all."""

from django.db import migrations

from merchant.postgres import OnPostgres


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0005_resends")]

    operations = [
        OnPostgres(
            f"ALTER TABLE {table} SET (fillfactor = 50)",
            f"ALTER TABLE {table} RESET (fillfactor)",
        )
        for table in ("webhooks_delivery", "webhooks_endpoint")
    ]
