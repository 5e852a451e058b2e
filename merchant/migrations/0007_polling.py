from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("merchant", "0006_callbacks")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="poll_asked",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="poll_trouble",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300
            ),
        ),
    ]
