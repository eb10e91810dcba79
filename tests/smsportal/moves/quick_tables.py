"""The tables of the present models, without running all migrations."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def make_tables() -> None:
    """As after `migrate`, with every migration recorded as applied."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    former = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    try:
        call_command("migrate", run_syncdb=True, interactive=False, verbosity=0)
    finally:
        settings.MIGRATION_MODULES = former
    recorder = MigrationRecorder(connection)
    for app, name in known:
        recorder.record_applied(app, name)
