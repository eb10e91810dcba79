import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0005_own_lists'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='act',
            name='personal_digest',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='act',
            name='seal',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name='act',
            index=models.Index(fields=['what', '-at', '-id'], name='act_by_what'),
        ),
        migrations.AddIndex(
            model_name='act',
            index=models.Index(fields=['by', '-at', '-id'], name='act_by_person'),
        ),
        migrations.AddIndex(
            model_name='act',
            index=models.Index(fields=['seal', 'id'], name='act_by_seal'),
        ),
        migrations.AddIndex(
            model_name='act',
            index=models.Index(condition=models.Q(('seal__isnull', True)), fields=['id'], name='act_unsealed'),
        ),
        migrations.CreateModel(
            name='ActPersonal',
            fields=[
                ('act', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='personal_row', serialize=False, to='core.act')),
                ('text', models.TextField()),
                ('salt', models.CharField(max_length=64)),
            ],
            options={
                'default_permissions': (),
            },
        ),
    ]
