from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("providers", "0005_indexes_for_many_rows")]

    operations = [
        migrations.AddField(
            "account",
            "highest_price",
            models.DecimalField(
                blank=True,
                decimal_places=4,
                max_digits=18,
                null=True,
                verbose_name="price warning",
            ),
        )
    ]
