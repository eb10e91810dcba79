"""The search itself: it finds planted values everywhere it looks."""

from __future__ import annotations

import base64
import pickle
import zlib
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django_q.models import Task
from django_q.tasks import async_task

from core.redaction import spellings
from tests.canary.planted import SECRETS, passwords
from tests.canary.search import compact_database, leaks, leaks_at_rest


class TestSearch:
    """A search is worth something only if it finds what was planted."""

    SECRET = SECRETS["haorui"]["api_password"]

    @pytest.fixture(autouse=True)
    def _database(self, transactional_db: None) -> None:
        """Rows must be committed, so that the database's file holds them too."""

    def _plant_in_a_column(self) -> None:
        User.objects.create_user("planted", first_name=self.SECRET)

    def _plant_in_the_queue(self) -> None:
        async_task("math.sqrt", self.SECRET)

    def _plant_in_a_task(self) -> None:
        when = "2026-01-01T00:00:00Z"
        Task.objects.create(
            id="1", name="x", func="math.sqrt", args=(self.SECRET,), started=when, stopped=when
        )

    def _plant_in_a_session(self) -> None:
        session = SessionStore()
        session["typed"] = self.SECRET
        session.create()

    def _plant_in_the_cache(self) -> None:
        cache.set("planted", self.SECRET)

    def test_clean_database_has_no_leak(self) -> None:
        compact_database()
        assert leaks_at_rest() == []

    @pytest.mark.parametrize(
        ("plant", "place"),
        [
            (_plant_in_a_column, "auth_user.first_name"),
            (_plant_in_a_column, "dump"),
            (_plant_in_the_queue, "queue"),
            (_plant_in_a_task, "task"),
            (_plant_in_a_session, "session"),
            (_plant_in_the_cache, "cache"),
        ],
    )
    def test_planted_value_is_found(self, plant: Callable[[TestSearch], None], place: str) -> None:
        plant(self)
        assert any(leak.startswith(place) for leak in leaks_at_rest())

    @pytest.mark.parametrize("spelling", sorted(spellings(SECRETS["otpservice"]["password"])))
    def test_every_spelling_is_found(self, spelling: str) -> None:
        assert leaks(passwords(), "page", f"before {spelling} after")

    def test_value_in_packed_bytes_is_found(self) -> None:
        packed = zlib.compress(pickle.dumps(self.SECRET))
        assert leaks([self.SECRET], "file", b"12345678" + packed)
        assert leaks([self.SECRET], "column", base64.b64encode(pickle.dumps(self.SECRET)))
