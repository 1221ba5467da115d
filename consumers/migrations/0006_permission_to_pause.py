"""Who pauses consumers needs a permission of its own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("consumers", "0005_pause_of_consumers")]

    operations = [
        migrations.AlterModelOptions(name="pause", options={"permissions": [("pause_consumer", "Can pause and resume a consumer")]})
    ]
