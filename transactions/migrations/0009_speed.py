"""Indexes that others make needless, or that held mostly nothing; docs/indexes.md."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('merchant', '0004_silence'),
        ('transactions', '0008_waiting'),
        ('webhooks', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='deliveryitem',
            name='transaction',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='delivery_items', to='transactions.transaction'),
        ),
        migrations.AlterField(
            model_name='dispute',
            name='transaction',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='disputes', to='transactions.transaction'),
        ),
        migrations.AlterField(
            model_name='lineitem',
            name='transaction',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='transactions.transaction'),
        ),
        migrations.AlterField(
            model_name='product',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='products', to='merchant.project'),
        ),
        migrations.AlterField(
            model_name='refund',
            name='transaction',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='refunds', to='transactions.transaction'),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='actor',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='inbound',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='entries', to='webhooks.inboundevent'),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='payout',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='timeline', to='transactions.payout'),
        ),
        migrations.AlterField(
            model_name='timelineentry',
            name='subscription',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='timeline', to='transactions.subscription'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(condition=models.Q(('subscription__isnull', False)), fields=['subscription'], name='entry_by_subscription'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(condition=models.Q(('payout__isnull', False)), fields=['payout'], name='entry_by_payout'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(condition=models.Q(('inbound__isnull', False)), fields=['inbound'], name='entry_by_inbound'),
        ),
        migrations.AddIndex(
            model_name='timelineentry',
            index=models.Index(condition=models.Q(('actor__isnull', False)), fields=['actor'], name='entry_by_actor'),
        ),
    ]
