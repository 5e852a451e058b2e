"""What the search box needs of PostgreSQL; see transactions.search."""

from django.db import migrations

from merchant.postgres import OnPostgres, TrigramIndex


def index(name: str, on: str) -> OnPostgres:
    return OnPostgres(
        f"CREATE INDEX {name} ON transactions_{on}", f"DROP INDEX IF EXISTS {name}"
    )


class Migration(migrations.Migration):
    dependencies = [("transactions", "0001_initial")]

    operations = [
        # Parts of e-mails and names; search looks for the first of these two by name.
        TrigramIndex("tx_email_part", "transactions_transaction", "UPPER(customer_email)"),
        TrigramIndex("tx_name_part", "transactions_transaction", "UPPER(customer_name)"),
        index("tx_metadata", "transaction USING gin (metadata) WHERE metadata <> '{}'"),
        index("tx_by_amount", "transaction (merchant_id, amount)"),
        index("tx_by_last4", "transaction (merchant_id, method_last4) WHERE method_last4 <> ''"),
        index(
            "tx_by_provider",
            "transaction (merchant_id, provider, livemode, created DESC, id DESC)",
        ),
        index("item_by_sku", "lineitem (project_id, sku) WHERE sku <> ''"),
    ]
