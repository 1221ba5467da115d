"""When a partition's owner last said that it lives."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consumers", "0003_replay_of_dead_letters")]

    operations = [migrations.AddField("position", "beat_at", models.DateTimeField(null=True))]
