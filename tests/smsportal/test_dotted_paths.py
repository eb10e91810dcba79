"""Whatever settings and schedules name by a dotted path is there."""

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

from smsportal import settings as settings_of_the_portal
from smsportal.schedules import ensure_schedules, scheduled_tasks

DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
OURS: Final = {config.name for config in apps.get_app_configs() if "." not in config.name}
PARTS: Final = (
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
"""Settings that name classes and functions."""


def strings_in(value: Any) -> Iterator[str]:
    """Values only: the keys of LOGGING name loggers, which need not be modules."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from strings_in(part)


def paths_in(name: str) -> list[str]:
    """The dotted paths in one setting whose first part is a module that can be imported."""
    found = filter(DOTTED.fullmatch, strings_in(getattr(settings_of_the_portal, name)))
    return sorted({path for path in found if util.find_spec(path.partition(".")[0])})


@pytest.mark.parametrize("name", PARTS)
def test_every_dotted_path_of_a_setting_resolves(name: str) -> None:
    for path in paths_in(name):
        assert import_string(path), path


@pytest.mark.parametrize("name", ["LOGGING", "MIDDLEWARE", "UNFOLD", "FILE_UPLOAD_HANDLERS"])
def test_paths_of_our_own_are_found_in_settings(name: str) -> None:
    assert any(path.partition(".")[0] in OURS for path in paths_in(name))


def test_every_installed_app_resolves() -> None:
    for name in settings.INSTALLED_APPS:
        config = AppConfig.create(name)
        assert config.module is not None, name


def test_the_url_configuration_and_its_error_handlers_resolve() -> None:
    urls = import_module(settings.ROOT_URLCONF)
    for status in (400, 403, 404, 500):
        assert callable(import_string(getattr(urls, f"handler{status}")))


def test_every_scheduled_function_resolves() -> None:
    for duty in scheduled_tasks():
        assert callable(import_string(duty.func)), duty.func


@pytest.mark.django_db
def test_every_function_of_a_schedule_row_resolves() -> None:
    ensure_schedules()
    for func in Schedule.objects.values_list("func", flat=True):
        assert callable(import_string(func)), func


def test_every_library_of_template_tags_resolves() -> None:
    engine: Any = engines["django"]
    assert {"portal", "callbacks"} <= set(engine.engine.libraries)
    for path in engine.engine.libraries.values():
        assert import_module(path).register, path
