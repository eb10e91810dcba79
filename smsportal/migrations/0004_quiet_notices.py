"""The notices that a person does not want. Earlier versions do not use the column."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('smsportal', '0003_language_of_a_person'),
    ]

    operations = [
        migrations.AddField(
            model_name='preferences',
            name='quiet_notices',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
    ]
