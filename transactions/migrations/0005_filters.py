"""Indexes for the filters of the list that only a large shop notices; docs/indexes.md."""

from django.db import migrations

from merchant.postgres import OnPostgres, TrigramIndex


def index(name: str, on: str) -> OnPostgres:
    return OnPostgres(
        f"CREATE INDEX {name} ON transactions_{on}", f"DROP INDEX IF EXISTS {name}"
    )


NEWEST = "created DESC, id DESC"


class Migration(migrations.Migration):
    dependencies = [("transactions", "0004_old_purchases")]

    operations = [
        index(
            "tx_by_method",
            f"transaction (merchant_id, livemode, UPPER(method), {NEWEST})",
        ),
        index(
            "tx_by_brand",
            f"transaction (merchant_id, livemode, UPPER(method_brand), {NEWEST})",
        ),
        index(
            "tx_by_country",
            f"transaction (merchant_id, livemode, customer_country, {NEWEST})",
        ),
        TrigramIndex("cu_email_part", "transactions_customer", "UPPER(email)"),
        TrigramIndex("cu_name_part", "transactions_customer", "UPPER(name)"),
    ]
