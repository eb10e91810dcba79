"""The first start can create an administrator. No later start changes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from core.models import Act
from smsportal.startup.first_admin import FirstAdminRefused, create_first_admin
from tests.support.signed_in import member

pytestmark = pytest.mark.django_db
PASSWORD = "violet harbour 91 lamps"


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    found = tmp_path / "password"
    found.write_text(f"{PASSWORD}\n")
    settings.FIRST_ADMIN_NAME, settings.FIRST_ADMIN_PASSWORD_FILE = "ada", str(found)
    return found


def test_administrator_is_created_and_recorded(file: Path) -> None:
    lines: list[str] = []
    create_first_admin(lines.append)
    person = User.objects.get()
    assert (person.username, person.is_superuser, person.is_staff) == ("ada", True, True)
    assert person.check_password(PASSWORD)
    act = Act.objects.get(what="staff.first_admin")
    assert (act.by, act.subject) == (None, f"user:{person.pk}")
    assert lines == [f"Created the first administrator ada with the password in {file}."]
    assert PASSWORD not in f"{lines} {act.details}"


def test_later_start_resets_nothing(file: Path) -> None:
    create_first_admin(lambda line: None)
    file.write_text("another harbour 17 lamps")
    lines: list[str] = []
    create_first_admin(lines.append)
    assert User.objects.get().check_password(PASSWORD)
    assert (lines, Act.objects.filter(what="staff.first_admin").count()) == ([], 1)


def test_later_start_does_not_need_the_file(file: Path) -> None:
    member("viewer")
    file.unlink()
    create_first_admin(lambda line: None)
    assert not User.objects.filter(is_superuser=True).exists()


def test_without_both_settings_nobody_is_created(file: Path, settings: Settings) -> None:
    settings.FIRST_ADMIN_NAME = ""
    create_first_admin(lambda line: None)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"", "is empty."),
        (b"\xff\xfe\xfa", "cannot be read: it is not text."),
        (b"hunter2", "has a password that is not accepted. This password is too short."),
    ],
)
def test_unusable_password_is_refused_without_showing_it(
    file: Path, content: bytes | None, said: str
) -> None:
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(FirstAdminRefused) as refused:
        create_first_admin(lambda line: None)
    assert str(refused.value).startswith(f"FIRST_ADMIN_PASSWORD_FILE: {file} {said}")
    assert "hunter2" not in str(refused.value)
    assert not User.objects.exists()
