"""What a ledger check needs in order to compare only what has changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rentals", "0010_indexes_for_many_rows")]

    operations = [
        migrations.AddField(
            model_name="reading",
            name="compared_whole_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="transaction",
            name="differed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(fields=["account", "read_at"], name="transaction_read"),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("differed_at__isnull", False)),
                fields=["account", "id"],
                name="transaction_differed",
            ),
        ),
    ]
