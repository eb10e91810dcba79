"""The caches of the portal: JSON, atomic `add`, and no pickle."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache.backends.base import BaseCache
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from core.caches import JsonDatabaseCache, JsonFileCache
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = "cache_under_test"
VALUES: list[Any] = [None, 0, "", "验证码", [1, "a", None], {"a": [1.5, True]}]


@pytest.fixture
def database_cache(settings: Settings) -> Iterator[BaseCache]:
    settings.CACHES = {"default": {"BACKEND": "core.caches.JsonDatabaseCache", "LOCATION": TABLE}}
    call_command("createcachetable", verbosity=0)
    yield JsonDatabaseCache(TABLE, {})
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


@pytest.fixture(params=["file", "database"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> BaseCache:
    if request.param == "file":
        return JsonFileCache(str(tmp_path / "cache"), {})
    found: BaseCache = request.getfixturevalue("database_cache")
    return found


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_value_is_kept(cache: BaseCache, value: Any) -> None:
    cache.set("key", value)
    assert cache.get("key", "missing") == value
    assert cache.get_many(["key", "other"]) == {"key": value}
    assert cache.has_key("key")


def test_value_that_is_no_json_is_refused(cache: BaseCache) -> None:
    with pytest.raises(TypeError):
        cache.set("key", object())
    assert cache.get("key") is None


def test_missing_key_has_no_value(cache: BaseCache) -> None:
    assert cache.get("key", "default") == "default"
    assert cache.get_many(["key"]) == {}
    assert not cache.touch("key")
    assert not cache.delete("key")


def test_value_ends_with_its_time(cache: BaseCache) -> None:
    with time_machine.travel("2026-01-01 00:00:00+00:00", tick=False) as now:
        cache.set("short", 1, 10)
        cache.set("endless", 2, None)
        now.shift(11)
        assert cache.get("short") is None
        now.shift(10**8)
        assert cache.get("endless") == 2


def test_touched_value_lasts_longer(cache: BaseCache) -> None:
    with time_machine.travel("2026-01-01 00:00:00+00:00", tick=False) as now:
        cache.set("key", 1, 10)
        assert cache.touch("key", 100)
        now.shift(50)
        assert cache.get("key") == 1


def test_later_value_replaces_the_earlier_one(cache: BaseCache) -> None:
    cache.set("key", 1)
    cache.set("key", 2)
    assert cache.incr("key") == 3
    cache.delete_many(["key"])
    assert cache.get("key") is None
    cache.set("key", 3)
    cache.clear()
    assert cache.get("key") is None


def test_key_is_added_once(cache: BaseCache) -> None:
    with time_machine.travel("2026-01-01 00:00:00+00:00", tick=False) as now:
        assert cache.add("key", 1, 10)
        assert not cache.add("key", 2, 10)
        assert cache.get("key") == 1
        now.shift(11)
        assert cache.add("key", 3, 10)
        assert cache.get("key") == 3


def test_of_many_at_once_one_adds_the_key(cache: BaseCache) -> None:
    assert sorted(at_once(lambda: cache.add("key", 1), 6)) == [False] * 5 + [True]


def test_planted_pickle_is_not_loaded(tmp_path: Path) -> None:
    class Exploit:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    cache = JsonFileCache(str(tmp_path / "cache"), {})
    cache.set("key", 1)
    planted = pickle.dumps(None) + pickle.dumps(Exploit())
    for file in (tmp_path / "cache").glob("*.json"):
        file.write_bytes(planted)
    assert not cache.has_key("key")
    assert cache.get("key") is None
    assert cache.add("key", 2)
    assert cache.get("key") == 2
    assert not (tmp_path / "ran").exists()
