"""Every row of the outbox is deleted soon. It is vacuumed after 10,000, however many there once were, and without pauses.

By the default, a fifth of the rows that the last vacuum saw, a backlog of a million would leave 200,000 dead rows to be passed over.
"""

from django.db import migrations

OFTEN = """
ALTER TABLE messaging_outboxrow SET
    (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0)
"""
BY_DEFAULT = """
ALTER TABLE messaging_outboxrow RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)
"""


class Migration(migrations.Migration):

    dependencies = [
        ("messaging", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(OFTEN, BY_DEFAULT),
    ]
