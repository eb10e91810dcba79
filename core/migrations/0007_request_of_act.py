from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0006_seals_and_personal_parts'),
    ]

    operations = [
        migrations.AddField(
            model_name='act',
            name='request_id',
            field=models.CharField(editable=False, max_length=16, null=True),
        ),
    ]
