"""The wish that a consumer stands still."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consumers", "0004_beat_of_owners")]

    operations = [
        migrations.CreateModel(
            "Pause",
            [
                ("consumer", models.TextField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("by", models.TextField()),
            ],
        )
    ]
