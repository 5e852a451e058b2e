"""Projects that sold before there was a queue: what they sold does not wait in it."""

from django.db import migrations
from django.utils import timezone


def spare_the_past(apps, schema_editor):
    Project = apps.get_model("merchant", "Project")
    Rule = apps.get_model("transactions", "FulfilmentRule")
    now = timezone.now()
    for project in Project.objects.all():
        Rule.objects.create(project=project, rule="none", since=None)
        Rule.objects.create(project=project, rule="manual", since=now)


class Migration(migrations.Migration):
    dependencies = [
        ("transactions", "0003_the_desk"),
        ("merchant", "0004_silence"),
    ]

    operations = [migrations.RunPython(spare_the_past, migrations.RunPython.noop)]
