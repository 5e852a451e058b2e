"""Indexes for currencies and amounts that only a large shop notices; docs/indexes.md."""

from django.db import migrations

from merchant.postgres import OnPostgres


def index(name: str, on: str) -> OnPostgres:
    return OnPostgres(
        f"CREATE INDEX {name} ON transactions_{on}", f"DROP INDEX IF EXISTS {name}"
    )


NEWEST = "created DESC, id DESC"


class Migration(migrations.Migration):
    dependencies = [("transactions", "0010_export")]

    operations = [
        index(
            "tx_by_currency",
            f"transaction (merchant_id, livemode, currency, {NEWEST})",
        ),
        OnPostgres(
            "DROP INDEX IF EXISTS tx_by_amount",
            "CREATE INDEX tx_by_amount ON transactions_transaction"
            " (merchant_id, amount)",
        ),
        # Amount before mode: the search box of an API key looks at both.
        index("tx_by_price", f"transaction (merchant_id, amount, livemode, {NEWEST})"),
    ]
