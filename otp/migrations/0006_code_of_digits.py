"""Whether a code consists of digits. Existing rows keep NULL: it is not known of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("otp", "0005_sms_state")]

    operations = [
        migrations.AddField(
            model_name="sentcode",
            name="is_digits",
            field=models.BooleanField(editable=False, null=True),
        ),
    ]
