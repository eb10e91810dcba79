from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('providers', '0008_caps'),
    ]

    operations = [
        migrations.AddField(
            model_name='apicall',
            name='request_id',
            field=models.CharField(editable=False, max_length=16, null=True, verbose_name='reference'),
        ),
        migrations.AddIndex(
            model_name='apicall',
            index=models.Index(condition=models.Q(('request_id__isnull', False)), fields=['request_id'], name='apicall_by_request'),
        ),
    ]
