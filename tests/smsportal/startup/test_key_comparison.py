"""A host whose keys are not those of the database does not start, and deletes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection, transaction
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task
from pytest_django import Settings

from core.models import KeyCheck
from smsportal.configuration import environment
from smsportal.configuration.environment import BASE_DIR
from smsportal.startup.key_comparison import KeysDoNotFit, find_misfits, require_fitting_keys
from tests.factories.accounts import make_account
from tests.support.hosts import Host, empty_database, run
from tests.upgrade.databases import connected

pytestmark = pytest.mark.django_db


def use_secret_key(key: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SECRET_KEY = key
    monkeypatch.setattr(Conf, "SECRET_KEY", key)


def new_key() -> str:
    return Fernet.generate_key().decode()


class TestNewDatabase:
    def test_first_start_records_every_key(self, settings: Settings) -> None:
        settings.SECRETS_KEYS = [*settings.SECRETS_KEYS, new_key()]
        require_fitting_keys()
        assert KeyCheck.objects.filter(name="SECRET_KEY").count() == 1
        assert KeyCheck.objects.filter(name="SECRETS_KEYS").count() == 2

    def test_second_start_records_nothing_more(self) -> None:
        require_fitting_keys()
        require_fitting_keys()
        assert KeyCheck.objects.count() == 2

    def test_check_values_hold_no_key(self, settings: Settings) -> None:
        require_fitting_keys()
        stored = " ".join(KeyCheck.objects.values_list("digest", flat=True))
        assert settings.SECRET_KEY not in stored
        assert settings.SECRETS_KEYS[0] not in stored

    def test_look_without_recording_writes_nothing(self) -> None:
        require_fitting_keys(record=False)
        assert not KeyCheck.objects.exists()


class TestDatabaseOfAnEarlierRelease:
    """It has no check values yet, but credentials and tasks."""

    def test_keys_that_read_a_credential_are_recorded(self) -> None:
        make_account("haorui", credentials={"api_id": "API1", "api_password": "canary"})
        require_fitting_keys()
        assert KeyCheck.objects.count() == 2

    def test_keys_that_read_no_credential_are_refused(self, settings: Settings) -> None:
        make_account("haorui", credentials={"api_id": "API1", "api_password": "canary"})
        settings.SECRETS_KEYS = [new_key()]
        with pytest.raises(KeysDoNotFit, match=r"SECRETS_KEYS .* can read none of the"):
            require_fitting_keys()
        assert not KeyCheck.objects.exists()

    def test_secret_key_that_signed_no_waiting_task_is_refused(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async_task("providers.tasks.beat")
        use_secret_key("another key", settings, monkeypatch)
        with pytest.raises(KeysDoNotFit, match=r"SECRET_KEY .* did not sign a single one"):
            require_fitting_keys()
        assert OrmQ.objects.count() == 1


class TestOtherKeys:
    @pytest.fixture(autouse=True)
    def recorded(self) -> None:
        require_fitting_keys()

    def test_another_secret_key_is_refused_with_its_source(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(environment.SOURCES, "SECRET_KEY", "/srv/portal/keys.env")
        use_secret_key("another key", settings, monkeypatch)
        (sentence,) = find_misfits()
        assert sentence.startswith("SECRET_KEY (from /srv/portal/keys.env) is not the key of this")
        assert "manage.py keys --accept" in sentence

    def test_other_secrets_keys_are_refused(self, settings: Settings) -> None:
        settings.SECRETS_KEYS = [new_key(), new_key()]
        (sentence,) = find_misfits()
        assert sentence.startswith("SECRETS_KEYS (from the environment) holds no key of this")

    def test_both_are_reported_at_once(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SECRETS_KEYS = [new_key()]
        use_secret_key("another key", settings, monkeypatch)
        assert len(list(find_misfits())) == 2

    def test_check_of_the_database_reports_them(self, settings: Settings) -> None:
        settings.SECRETS_KEYS = [new_key()]
        assert [found.id for found in run_checks(tags=["database"], databases=["default"])] == [
            "smsportal.E004"
        ]


class TestRotation:
    @pytest.fixture
    def old_key(self, settings: Settings) -> str:
        make_account("haorui", credentials={"api_id": "API1", "api_password": "canary"})
        require_fitting_keys()
        return str(settings.SECRETS_KEYS[0])

    def test_new_first_key_with_the_old_as_fallback_is_recorded(
        self, settings: Settings, old_key: str
    ) -> None:
        settings.SECRETS_KEYS = [new_key(), old_key]
        require_fitting_keys()
        assert KeyCheck.objects.filter(name="SECRETS_KEYS").count() == 2

    def test_fallback_that_encrypts_nothing_is_not_recorded(
        self, settings: Settings, old_key: str
    ) -> None:
        settings.SECRETS_KEYS = [old_key, new_key()]
        require_fitting_keys()
        assert KeyCheck.objects.filter(name="SECRETS_KEYS").count() == 1

    def test_old_key_may_be_removed_after_everything_is_encrypted_again(
        self, settings: Settings, old_key: str
    ) -> None:
        first = new_key()
        settings.SECRETS_KEYS = [first, old_key]
        require_fitting_keys()
        call_command("rotate_keys")
        settings.SECRETS_KEYS = [first]
        require_fitting_keys()
        settings.SECRETS_KEYS = [old_key]
        with pytest.raises(KeysDoNotFit, match="holds no key of this database"):
            require_fitting_keys()

    def test_old_key_may_not_leave_before(self, settings: Settings, old_key: str) -> None:
        first = new_key()
        settings.SECRETS_KEYS = [first, old_key]
        require_fitting_keys()
        settings.SECRETS_KEYS = [first]
        with pytest.raises(KeysDoNotFit, match=r"lacks the key .* stored credentials cannot be"):
            require_fitting_keys()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    with empty_database(tmp_path) as name:
        yield name


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_second_host_with_other_keys_stops_and_the_tasks_of_the_first_survive(
    database: str, tmp_path: Path
) -> None:
    first = Host(tmp_path / "first", database)
    second = Host(tmp_path / "second", database)
    first.start()
    first.wait_until_ready()
    first.kill()
    with connected(database):
        OrmQ.objects.all().delete()
    signed = first.manage(
        "shell",
        "-v0",
        "-c",
        "from django_q.tasks import async_task as a; a('providers.tasks.beat')",
    )
    assert signed.returncode == 0, signed.stderr

    second.start()
    assert second.exit_code() == environment.EXIT_CODE
    assert "SECRET_KEY (from " in second.log()
    assert str(second.data / "keys.env") in second.log()
    assert "Traceback" not in second.log()
    cluster = second.manage("qcluster", "--skip-checks")
    assert cluster.returncode == 1
    assert cluster.stderr.startswith("CommandError: SECRET_KEY (from ")
    web = run(
        ["-m", "gunicorn", "--config", str(BASE_DIR / "gunicorn.conf.py")], second.environment
    )
    assert web.returncode == 4
    assert "SECRET_KEY (from " in web.stderr
    with connected(database):
        assert OrmQ.objects.count() == 1
    checked = second.manage("check", "--database", "default")
    assert "smsportal.E004" in checked.stderr

    assert first.manage("check", "--database", "default").returncode == 0


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.django_db(transaction=True)
def test_table_of_check_values_is_locked_while_keys_are_recorded() -> None:
    with transaction.atomic():
        require_fitting_keys()
        other = connection.copy()
        try:
            with other.cursor() as cursor, pytest.raises(Exception, match="could not obtain lock"):
                cursor.execute("BEGIN; LOCK TABLE core_keycheck IN SHARE ROW EXCLUSIVE MODE NOWAIT")
        finally:
            other.close()
