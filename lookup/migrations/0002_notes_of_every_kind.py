import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _person():
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


OPEN = models.Q(assigned_to__isnull=False, done_at__isnull=True, removed_at__isnull=True)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("lookup", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelTable("NumberNote", "lookup_numbernote"),
        migrations.RenameModel("NumberNote", "Note"),
        migrations.AddField(
            "note", "kind", models.CharField(db_default="number", default="number", max_length=16)
        ),
        migrations.AddField("note", "object_id", models.BigIntegerField(null=True)),
        migrations.AddField("note", "assigned_to", _person()),
        migrations.AddField("note", "done_by", _person()),
        migrations.AddField("note", "done_at", models.DateTimeField(null=True)),
        migrations.AlterField("note", "number", models.CharField(blank=True, max_length=100)),
        migrations.AddIndex(
            "note", models.Index(fields=["kind", "object_id", "-at"], name="note_by_object")
        ),
        migrations.AddIndex(
            "note",
            models.Index(condition=OPEN, fields=["assigned_to", "-at"], name="open_note_for"),
        ),
        migrations.AddIndex(
            "note", models.Index(condition=OPEN, fields=["by", "-at"], name="open_note_by")
        ),
    ]
