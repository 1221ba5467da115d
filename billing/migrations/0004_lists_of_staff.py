"""What staff may do with accounts, invoices and transfers, and the indexes of their lists by status and kind.

Not built concurrently: they have few rows, one scan makes each, a second for millions of rows; and what dies half way leaves nothing behind.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_no_keys_of_transfers")]

    operations = [
        migrations.AlterModelOptions(name="account", options={"permissions": [("export_account", "Can export accounts")]}),
        migrations.AlterModelOptions(
            name="invoice", options={"permissions": [("pay_invoice", "Can pay any invoice"), ("export_invoice", "Can export invoices")]}
        ),
        migrations.AlterModelOptions(name="transfer", options={"permissions": [("export_transfer", "Can export transfers")]}),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("status", "paid"), _negated=True), fields=["id", "status"], name="invoice_of_rare_status"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(condition=models.Q(("kind", "charge"), _negated=True), fields=["id", "kind"], name="transfer_of_rare_kind"),
        ),
    ]
