"""`manage.py restore` on the real database: what it refuses, and what is there afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from core.models import Act
from messaging.models import Message
from providers.engine import heartbeats
from providers.models import Credential, Fence, Host, TaskLease
from smsportal.backup import BackupError, manifest, postgresql, restore, sqlite
from tests.factories.messages import make_message
from tests.smsportal.backup.conftest import Portal
from tests.support.wait_until import wait_until
from tests.upgrade import databases


class TestWhatIsThere:
    def test_rows_are_those_of_the_backup(self, portal: Portal) -> None:
        message = make_message()
        portal.backup()
        Message.objects.all().delete()
        make_message(account=message.account)
        output = portal.restore("--yes")
        assert Message.objects.get().reference == message.reference
        assert "start the portal" in output
        assert "What waits" in output

    def test_database_is_marked_as_restored(self, portal: Portal) -> None:
        make_message()
        portal.backup()
        portal.restore("--yes")
        fence = Fence.objects.get(pk=Fence.SINGLETON)
        assert fence.restored_from == portal.newest.name
        assert fence.restored_at is not None
        assert timezone.now() - fence.restored_at < timedelta(minutes=2)

    def test_act_is_recorded_with_what_was_replaced(self, portal: Portal) -> None:
        message = make_message()
        portal.backup()
        make_message(account=message.account)
        portal.restore("--yes")
        act = Act.objects.get(what="backup.restore")
        assert act.by is None
        assert act.details["backup"] == portal.newest.name
        assert act.details["counts"]["messaging_message"] == 1
        assert act.details["replaced"]["messaging_message"] == 2

    def test_former_data_is_kept(self, portal: Portal) -> None:
        portal.backup()
        make_message()
        output = portal.restore("--yes")
        kept = output.partition("is kept: ")[2].splitlines()[0]
        if connection.vendor == "sqlite":
            with databases.connected(kept):
                assert Message.objects.count() == 1
        else:
            schema = kept.removeprefix("schema ")
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {schema}.messaging_message")
                assert cursor.fetchone() == (1,)
        assert Message.objects.count() == 0

    def test_new_rows_get_new_ids(self, portal: Portal) -> None:
        message = make_message()
        portal.backup()
        portal.restore("--yes")
        assert make_message(account=message.account).pk > message.pk

    @pytest.mark.slow
    def test_backup_can_be_made_and_restored_again(self, portal: Portal) -> None:
        make_message()
        portal.backup()
        portal.restore("--yes")
        time.sleep(1.1)
        portal.backup()
        portal.restore("--yes")
        assert Message.objects.count() == 1
        assert TaskLease.objects.exclude(holder="").count() == 0

    def test_encrypted_backup_is_restored_with_its_passphrase(
        self, portal: Portal, passphrase: str
    ) -> None:
        make_message(text="a text")
        portal.backup("--passphrase-file", passphrase)
        Message.objects.all().delete()
        portal.restore("--yes", "--passphrase-file", passphrase)
        assert Message.objects.get().text == "a text"


class TestRefusals:
    def test_data_is_not_replaced_without_confirmation(self, portal: Portal) -> None:
        message = make_message()
        portal.backup()
        make_message(account=message.account)
        with pytest.raises(CommandError, match=r"holds 2 messages.*newest is of 20.*--yes"):
            portal.restore()
        assert Message.objects.count() == 2

    def test_database_without_data_needs_no_confirmation(self, portal: Portal) -> None:
        portal.backup()
        portal.restore()
        assert Fence.objects.get().restored_from == portal.newest.name

    def test_living_loop_stops_it(self, portal: Portal) -> None:
        portal.backup()
        heartbeats.beat(uuid.uuid4())
        with pytest.raises(CommandError, match="The portal is running"):
            portal.restore("--yes")

    def test_running_host_stops_it_and_is_named(self, portal: Portal) -> None:
        portal.backup()
        Host.objects.create(name="web-1")
        with pytest.raises(CommandError, match=r"The portal is running.*web-1"):
            portal.restore("--yes")
        Host.objects.update(stopped_at=timezone.now())
        portal.restore("--yes")

    @pytest.mark.slow
    def test_open_connection_of_another_process_stops_it(self, portal: Portal) -> None:
        portal.backup()
        code = (
            "import django; django.setup(); from providers.models import Fence\n"
            "from time import sleep; Fence.objects.count(); print('open', flush=True); sleep(600)"
        )
        environment = {**os.environ, **portal.environment()}
        with subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            try:
                assert other.stdout.readline() == b"open\n"
                with pytest.raises(CommandError, match="Stop the portal"):
                    portal.restore("--yes")
            finally:
                other.kill()
        portal.restore("--yes")

    def test_changed_file_is_refused_and_nothing_changes(self, portal: Portal) -> None:
        portal.backup()
        make_message()
        file = portal.newest / portal.manifest().database_file
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        with pytest.raises(CommandError, match="damaged or was changed"):
            portal.restore("--yes")
        assert Message.objects.count() == 1

    def test_wrong_or_missing_passphrase_is_one_sentence(
        self, portal: Portal, passphrase: str, tmp_path: Path
    ) -> None:
        portal.backup("--passphrase-file", passphrase)
        make_message()
        other = tmp_path / "other"
        other.write_text("another passphrase")
        with pytest.raises(CommandError, match=r"^The passphrase is wrong\.$"):
            portal.restore("--yes", "--passphrase-file", str(other))
        with pytest.raises(CommandError, match="give its passphrase"):
            portal.restore("--yes")
        assert Message.objects.count() == 1

    def test_backup_of_a_newer_version_is_refused(
        self, portal: Portal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('core', '0999_later', '2026-01-01')"
            )
        portal.backup()
        with pytest.raises(CommandError, match="install the newer one first"):
            portal.restore("--yes")

    def test_backup_of_the_other_kind_of_database_is_refused(self, portal: Portal) -> None:
        portal.backup()
        file = portal.newest / manifest.FILE
        kinds = {"sqlite": "postgresql", "postgresql": "sqlite"}
        text = file.read_text().replace(
            f'"kind": "{connection.vendor}"', f'"kind": "{kinds[connection.vendor]}"'
        )
        file.write_text(text)
        with pytest.raises(CommandError, match="DATABASE_URL names"):
            portal.restore("--yes")


class TestKeys:
    def test_keys_that_do_not_fit_are_named_before_anything_is_touched(
        self, portal: Portal, settings: Settings
    ) -> None:
        portal.backup()
        make_message()
        settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
        digest = portal.manifest().keys["SECRETS_KEYS"][0][:8]
        with pytest.raises(CommandError, match=f"SECRETS_KEYS is another: the backup has {digest}"):
            portal.restore("--yes")
        assert Message.objects.count() == 1
        portal.restore("--yes", "--other-keys")
        assert Message.objects.count() == 0

    def test_keys_of_the_backup_are_put_in_place(
        self, portal: Portal, passphrase: str, settings: Settings
    ) -> None:
        before = list(settings.SECRETS_KEYS)
        make_message()
        portal.backup("--passphrase-file", passphrase)
        file = Path(settings.DATA_DIR) / "keys.env"
        other = Fernet.generate_key().decode()
        file.write_text(f"SECRET_KEY=another\nSECRETS_KEYS={other}\n")
        settings.SECRET_KEY, settings.SECRETS_KEYS = "another", [other]
        output = portal.restore("--yes", "--keys", "--passphrase-file", passphrase)
        assert f"SECRETS_KEYS={before[0]}" in file.read_text()
        assert before[0] not in output
        assert other in next(file.parent.glob("keys.env.before-restore-*")).read_text()
        assert Credential.objects.earliest("pk").value.reveal()

    def test_keys_that_are_not_in_the_backup_cannot_be_restored(self, portal: Portal) -> None:
        portal.backup()
        with pytest.raises(CommandError, match="The keys are not in this backup"):
            portal.restore("--yes", "--keys")


class TestFailures:
    def test_failed_migration_leaves_data_and_keys_as_they_were(
        self, portal: Portal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        portal.backup()
        make_message()

        def fail(*_: object, **__: object) -> None:
            raise BackupError("The migration failed.")

        monkeypatch.setattr(restore, "call_command", fail)
        with pytest.raises(CommandError, match="The migration failed"):
            portal.restore("--yes")
        self.assert_untouched()

    def test_connection_that_does_not_lead_to_the_loaded_backup_stops_it(
        self, portal: Portal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As through a pooler that drops the search path."""
        portal.backup()
        make_message()
        for target in (sqlite.Target, postgresql.Target):
            monkeypatch.setattr(target, "staged_settings", lambda _: {})
        with pytest.raises(CommandError, match=r"PgBouncer|cannot be opened"):
            portal.restore("--yes")
        self.assert_untouched()

    def test_failed_last_step_puts_the_keys_back(
        self,
        portal: Portal,
        passphrase: str,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        portal.backup("--passphrase-file", passphrase)
        make_message()

        def fail(*_: object) -> str:
            raise BackupError("The last step failed.")

        monkeypatch.setattr(sqlite.Target, "swap", fail)
        monkeypatch.setattr(postgresql.Target, "swap", fail)
        with pytest.raises(CommandError, match="The last step failed"):
            portal.restore("--yes", "--keys", "--passphrase-file", passphrase)
        assert not (Path(settings.DATA_DIR) / "keys.env").exists()
        self.assert_untouched()

    def assert_untouched(self) -> None:
        assert Message.objects.count() == 1
        assert not Fence.objects.exclude(restored_at=None).exists()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'smsportal%'")
                assert cursor.fetchall() == []
        else:
            folder = Path(str(connection.settings_dict["NAME"])).parent
            assert list(folder.glob("*.restoring*")) == []

    @pytest.mark.slow
    def test_killed_restore_leaves_either_the_old_data_or_the_marked_new(
        self, portal: Portal, passphrase: str
    ) -> None:
        TaskLease.objects.bulk_create(TaskLease(name=f"old {n}") for n in range(20_000))
        portal.backup("--passphrase-file", passphrase)
        make_message()
        arguments = ("restore", str(portal.newest), "--yes", "--passphrase-file", passphrase)
        for delay in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0):
            connection.close()
            process = portal.process(*arguments)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if Message.objects.count() == 0:
                assert Fence.objects.get().restored_from == portal.newest.name
                make_message()
            else:
                assert TaskLease.objects.count() > 20_000
        connection.close()
        wait_until(lambda: restored(portal, passphrase))
        assert Fence.objects.get().restored_from == portal.newest.name


def restored(portal: Portal, passphrase: str) -> bool:
    """Whether it succeeds; a server may need a moment to notice that its client was killed."""
    try:
        portal.restore("--yes", "--passphrase-file", passphrase)
    except CommandError:
        return False
    return True


class TestOlderVersions:
    @pytest.fixture
    def old(self, portal: Portal, tmp_path: Path) -> Path:
        """A backup of the database of release 0.1.0, as made before its upgrade."""
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        name = databases.load("0.1.0", tmp_path, f"test_backup_old_{worker}")
        with databases.connected(name):
            portal.backup()
        databases.drop(name)
        return portal.newest

    def test_database_of_an_older_version_takes_the_place_of_a_newer_one(
        self, portal: Portal, old: Path
    ) -> None:
        """It is brought to this version, and tables of a later one do not get in the way."""
        made = manifest.read(old)
        assert made.fence is None
        assert "providers.0002_hold_and_hosts" not in made.migrations
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE later_thing (id BIGINT PRIMARY KEY,"
                " message_id BIGINT REFERENCES messaging_message (id))"
            )
        portal.restore("--yes", backup=old)
        assert "later_thing" not in connection.introspection.table_names()
        call_command("migrate", check_unapplied=True, verbosity=0)
        assert Message.objects.count() == made.counts["messaging_message"] > 10
        assert Fence.objects.get().restored_from == old.name
        connection.check_constraints()
