"""Who replays, discards or exports dead letters needs a permission for each."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("consumers", "0006_permission_to_pause")]

    operations = [
        migrations.AlterModelOptions(
            name="deadletter",
            options={
                "permissions": [
                    ("replay_deadletter", "Can replay dead letters"),
                    ("discard_deadletter", "Can discard dead letters"),
                    ("export_deadletter", "Can export dead letters"),
                ]
            },
        )
    ]
