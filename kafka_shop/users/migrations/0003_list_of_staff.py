"""The index of staff among millions of customers. It has few rows, and one scan makes it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0002_failed_attempts")]

    operations = [
        migrations.AddIndex(
            model_name="user", index=models.Index(condition=models.Q(("is_staff", True)), fields=["id"], name="user_staff")
        )
    ]
