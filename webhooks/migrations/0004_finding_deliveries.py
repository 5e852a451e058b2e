
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('merchant', '0006_callbacks'),
        ('webhooks', '0003_endpoint_paced'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', ['exhausted', 'held', 'dropped'])), fields=['project', 'state', '-id'], name='delivery_stopped'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['created'], name='delivery_by_age'),
        ),
    ]
