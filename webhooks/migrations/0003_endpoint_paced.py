from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_endpoints")]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="paced",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
