"""Roles that require a second factor by a rule of a manager. Earlier versions do not read it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('smsportal', '0004_quiet_notices'),
    ]

    operations = [
        migrations.CreateModel(
            name='FactorRule',
            fields=[
                ('group', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='factor_rule', serialize=False, to='auth.group')),
                ('set_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'permissions': (('require_factor', 'Can set which roles require a second factor'),),
                'default_permissions': (),
            },
        ),
    ]
