"""A schedule that stopped by itself has a mail to send."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("transactions", "0018_amounts")]

    operations = [
        migrations.AddField(
            "exportschedule", "mail_due", models.DateTimeField(null=True)
        ),
        migrations.AddIndex(
            "exportschedule",
            models.Index(
                condition=models.Q(("mail_due__isnull", False)),
                fields=["mail_due"],
                name="schedule_mail",
            ),
        ),
    ]
