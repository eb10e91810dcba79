from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rentals", "0005_words")]

    operations = [
        migrations.AddField(
            model_name="reading",
            name="compared_at",
            field=models.DateTimeField(null=True),
        ),
    ]
