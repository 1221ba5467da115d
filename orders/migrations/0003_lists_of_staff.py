"""What staff may do with orders, and the index of their lists by status.

Not built concurrently: it has few rows, one scan makes it, a second for millions of orders; and what dies half way leaves nothing behind.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_no_key_of_lines")]

    operations = [
        migrations.AlterModelOptions(
            name="order", options={"permissions": [("cancel_order", "Can cancel any order"), ("export_order", "Can export orders")]}
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("status__in", ["rejected", "cancelled"])), fields=["id", "status"], name="order_of_rare_status"
            ),
        ),
    ]
