"""What a bulk action says of itself: what was shown, what was counted, what came."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('merchant', '0004_silence'),
        ('transactions', '0006_fulfilment_rules'),
    ]

    operations = [
        migrations.AddField(
            model_name='bulkaction',
            name='described',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='done',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='forecast',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='found',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='missed',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='outcome',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='ready',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='reverses',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reversals', to='transactions.bulkaction'),
        ),
        migrations.AddField(
            model_name='bulkaction',
            name='shown_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='bulkitem',
            name='entry',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddIndex(
            model_name='bulkaction',
            index=models.Index(fields=['merchant', '-id'], name='bulk_by_merchant'),
        ),
    ]
