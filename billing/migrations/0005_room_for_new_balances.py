"""Half of each page of accounts stays free: a new balance finds room beside the old one, and no index has to learn of it (HOT)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_lists_of_staff")]

    operations = [
        migrations.RunSQL("ALTER TABLE billing_account SET (fillfactor = 50)", "ALTER TABLE billing_account RESET (fillfactor)"),
    ]
