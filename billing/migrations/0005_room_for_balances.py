"""An account's row is written again with each batch that has one of its orders.

Where its page has room the new version stays there, and no index is written. Measured with 200,000 accounts, 300 batches of 1,000 of them: 13 % stay
in their page when the pages are full, all of them when a tenth is left free, with a quarter of the WAL, and the table does not grow. Pages that are
full already get their room as their rows move on.
"""

from django.db import migrations

ROOM = "ALTER TABLE billing_account SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05)"
NO_ROOM = "ALTER TABLE billing_account RESET (fillfactor, autovacuum_vacuum_scale_factor)"


class Migration(migrations.Migration):

    dependencies = [
        ("billing", "0004_lists_of_staff"),
    ]

    operations = [
        migrations.RunSQL(ROOM, NO_ROOM),
    ]
