from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0005_crossed_ids'),
    ]

    operations = [
        migrations.AddField(model_name='batch', name='choices', field=models.JSONField(null=True)),
        migrations.AddField(model_name='batch', name='findings', field=models.JSONField(null=True)),
        migrations.AddField(model_name='batch', name='sample', field=models.JSONField(null=True)),
        migrations.AddField(model_name='batch', name='check_run', field=models.UUIDField(null=True)),
        migrations.AddField(model_name='batch', name='accepted_run', field=models.UUIDField(null=True)),
    ]
