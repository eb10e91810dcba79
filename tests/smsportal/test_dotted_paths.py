"""Every dotted path in settings and schedules resolves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module, util
from typing import Any, Final

import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.template import engines
from django.utils.module_loading import import_string
from django_q.models import Schedule

from smsportal import settings as portal_settings
from smsportal.task_queue.schedules import ensure_schedules, scheduled_tasks

DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
OUR_APPS: Final = {config.name for config in apps.get_app_configs() if "." not in config.name}
SETTINGS: Final = (
    "AUTHENTICATION_BACKENDS",
    "AUTH_PASSWORD_VALIDATORS",
    "AXES_LOCKOUT_CALLABLE",
    "CACHES",
    "CSRF_FAILURE_VIEW",
    "FILE_UPLOAD_HANDLERS",
    "LOGGING",
    "MIDDLEWARE",
    "PASSWORD_HASHERS",
    "STORAGES",
    "TEMPLATES",
    "UNFOLD",
    "WSGI_APPLICATION",
)
"""Settings that contain dotted paths."""


def strings_in(value: Any) -> Iterator[str]:
    """Strings in the values of a setting. Keys of LOGGING are loggers, which need no module."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from strings_in(part)


def paths_in(name: str) -> list[str]:
    """The dotted paths in one setting whose first part is an importable module."""
    found = filter(DOTTED.fullmatch, strings_in(getattr(portal_settings, name)))
    return sorted({path for path in found if util.find_spec(path.partition(".")[0])})


@pytest.mark.parametrize("name", SETTINGS)
def test_every_dotted_path_of_a_setting_resolves(name: str) -> None:
    for path in paths_in(name):
        assert import_string(path), path


@pytest.mark.parametrize("name", ["LOGGING", "MIDDLEWARE", "UNFOLD", "FILE_UPLOAD_HANDLERS"])
def test_own_dotted_paths_are_found_in_settings(name: str) -> None:
    assert any(path.partition(".")[0] in OUR_APPS for path in paths_in(name))


def test_every_installed_app_resolves() -> None:
    for name in settings.INSTALLED_APPS:
        config = AppConfig.create(name)
        assert config.module is not None, name


def test_url_configuration_and_error_handlers_resolve() -> None:
    urls = import_module(settings.ROOT_URLCONF)
    for status in (400, 403, 404, 500):
        assert callable(import_string(getattr(urls, f"handler{status}")))


def test_every_scheduled_function_resolves() -> None:
    for task in scheduled_tasks():
        assert callable(import_string(task.func)), task.func


@pytest.mark.django_db
def test_every_function_of_a_schedule_row_resolves() -> None:
    ensure_schedules()
    for func in Schedule.objects.values_list("func", flat=True):
        assert callable(import_string(func)), func


def test_every_template_tag_library_resolves() -> None:
    engine: Any = engines["django"]
    assert {"portal", "callbacks"} <= set(engine.engine.libraries)
    for path in engine.engine.libraries.values():
        assert import_module(path).register, path
