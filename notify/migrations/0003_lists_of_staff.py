"""Who may export letters, and the index of their lists by outcome.

Not built concurrently: it has few rows, one scan makes it, a second for millions of letters; and what dies half way leaves nothing behind.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notify", "0002_letters_have_a_horizon")]

    operations = [
        migrations.AlterModelOptions(name="letter", options={"permissions": [("export_letter", "Can export letters")]}),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(
                condition=models.Q(("outcome", "paid"), _negated=True), fields=["id", "outcome"], name="letter_of_rare_outcome"
            ),
        ),
    ]
