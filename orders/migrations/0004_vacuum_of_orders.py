"""An order's row is written twice, when it is placed and when it is settled: each leaves a dead row, and a dead place in every index.

The sweep looks at the oldest places of the index of what awaits billing, every 5 s: by the default it would pass over a million dead ones at five
million orders, before they are vacuumed. A vacuum reads all indexes, so it is not asked for more often than after each twentieth.
"""

from django.db import migrations

OFTEN = "ALTER TABLE orders_order SET (autovacuum_vacuum_scale_factor = 0.05)"
BY_DEFAULT = "ALTER TABLE orders_order RESET (autovacuum_vacuum_scale_factor)"


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0003_lists_of_staff"),
    ]

    operations = [
        migrations.RunSQL(OFTEN, BY_DEFAULT),
    ]
