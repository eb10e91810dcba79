"""The newest message's state on the session. Existing rows keep NULL until it has been noted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("otp", "0004_indexes_for_many_rows")]

    operations = [
        # Without the default, which Django would write into every row.
        migrations.AddField(
            model_name="session",
            name="sms_state",
            field=models.CharField(editable=False, max_length=16, null=True),
        ),
        migrations.AlterField(
            model_name="session",
            name="sms_state",
            field=models.CharField(default="", editable=False, max_length=16, null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="sms_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                fields=["sms_state", "-created_at", "-id", "account", "sms_since"],
                name="session_by_sms_state",
            ),
        ),
    ]
