"""The index of the list of dead letters by how they were closed. There are few of them at the best of times; a million take two seconds."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consumers", "0007_permissions_to_mend")]

    operations = [
        migrations.AddIndex(model_name="deadletter", index=models.Index(fields=["outcome", "id"], name="dead_letter_by_outcome"))
    ]
