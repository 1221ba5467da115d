"""A key is checked by a plan that the session keeps, made when the other table was small (docs/decisions/0013)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0002_immutable_transfers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='transfer',
            name='account',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='billing.account'),
        ),
        migrations.AlterField(
            model_name='transfer',
            name='invoice',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='billing.invoice'),
        ),
    ]
