"""How far a rule got that reaches back; indexes for the lists of customers, products."""

from django.db import migrations, models

from merchant.postgres import OnPostgres, TrigramIndex


def index(name: str, on: str) -> OnPostgres:
    return OnPostgres(
        f"CREATE INDEX {name} ON transactions_{on}", f"DROP INDEX IF EXISTS {name}"
    )


class Migration(migrations.Migration):
    dependencies = [("transactions", "0005_filters")]

    operations = [
        migrations.AddField(
            model_name="fulfilmentrule",
            name="checked",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="fulfilmentrule",
            name="changed",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="fulfilmentrule",
            name="rule",
            field=models.CharField(
                choices=[
                    ("manual", "By hand"),
                    ("external", "Done elsewhere"),
                    ("none", "Not needed"),
                    ("project", "As the project says"),
                ],
                max_length=8,
            ),
        ),
        # A country that nobody lives in would make the list of customers walk them all.
        index(
            "cu_by_country_live",
            "customer (project_id, country, latest_live DESC, id DESC)"
            " WHERE latest_live IS NOT NULL",
        ),
        index(
            "cu_by_country_test",
            "customer (project_id, country, latest_test DESC, id DESC)"
            " WHERE latest_test IS NOT NULL",
        ),
        index(
            "cu_flagged_live",
            "customer (project_id, latest_live DESC, id DESC)"
            " WHERE flagged AND latest_live IS NOT NULL",
        ),
        index(
            "cu_flagged_test",
            "customer (project_id, latest_test DESC, id DESC)"
            " WHERE flagged AND latest_test IS NOT NULL",
        ),
        TrigramIndex("product_name_part", "transactions_product", "UPPER(name)"),
    ]
