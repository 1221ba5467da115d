"""What replay needs: the open dead letters of a key, and why one was discarded."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consumers", "0002_dead_letters_name_their_log")]

    operations = [
        migrations.AddField("deadletter", "closed_because", models.TextField(db_default="", default="")),
        migrations.AddIndex(
            "deadletter",
            django.contrib.postgres.indexes.HashIndex(condition=models.Q(("closed_at", None)), fields=["key"], name="dead_letter_key"),
        ),
    ]
