"""A loop without work asks the sources for rows when somebody has written, and rarely otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from django.db import DatabaseError, connection

from providers.engine import change_watch, loop, query_pace
from providers.engine.change_watch import ChangeWatch
from providers.engine.loop import Loop
from providers.engine.query_pace import QueryPace
from providers.engine.work_source import Lane, WorkSource
from providers.models import heartbeat


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(change_watch, "time", clock)
        monkeypatch.setattr(query_pace, "time", clock)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def elsewhere(act: Callable[[], object]) -> None:
    """Do it on another connection."""

    def work() -> None:
        act()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
class TestChangeWatch:
    def test_write_of_another_connection_ends_the_quiet(self, clock: Clock) -> None:
        watch = ChangeWatch()
        assert not watch.is_quiet()
        clock.now += 1
        assert watch.is_quiet()
        elsewhere(lambda: heartbeat("somebody"))
        assert not watch.is_quiet()
        clock.now += 0.1
        assert not watch.is_quiet()
        clock.now += 0.2
        assert watch.is_quiet()

    def test_new_connection_counts_as_a_change(self, clock: Clock) -> None:
        watch = ChangeWatch()
        watch.is_quiet()
        clock.now += 1
        connection.close()
        elsewhere(lambda: heartbeat("somebody"))
        assert not watch.is_quiet()

    def test_server_that_does_not_say_it_counts_as_busy(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        question = {connection.vendor: "SELECT nothing FROM nowhere"}
        monkeypatch.setattr(change_watch, "_QUESTIONS", question)
        watch = ChangeWatch()
        for _ in range(3):
            assert not watch.is_quiet()
            clock.now += 1
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(question[connection.vendor])


class TestQueryPace:
    @pytest.fixture
    def pace(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> QueryPace:
        made = QueryPace()
        monkeypatch.setattr(made._changes, "is_quiet", lambda: True)
        return made

    @pytest.fixture
    def source(self) -> WorkSource:
        return cast("WorkSource", SimpleNamespace(name="messages", lane=Lane.STAFF))

    def test_accounts_without_work_are_not_asked_again_while_it_is_quiet(
        self, pace: QueryPace, source: WorkSource, clock: Clock
    ) -> None:
        pace.note_empty(source, {1, 2}, clock.now)
        pace.begin_round(idle=True)
        assert pace.is_known_empty(source, {1, 2})
        assert pace.is_known_empty(source, {1})
        clock.now += 0.5
        assert not pace.is_known_empty(source, {1})

    def test_account_that_could_not_be_served_before_is_asked(
        self, pace: QueryPace, source: WorkSource, clock: Clock
    ) -> None:
        pace.note_empty(source, {1}, clock.now)
        pace.begin_round(idle=True)
        assert not pace.is_known_empty(source, {1, 2})

    def test_loop_with_calls_in_flight_asks_as_always(
        self, pace: QueryPace, source: WorkSource, clock: Clock
    ) -> None:
        pace.note_empty(source, {1}, clock.now)
        pace.begin_round(idle=False)
        assert not pace.is_known_empty(source, {1})
        assert pace.is_due(source, backlog=False)


class TestRestOfALoop:
    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> tuple[Loop, list[float]]:
        found: list[float] = []
        a_loop = Loop(lambda: True)
        monkeypatch.setattr(a_loop._worker_pool.wake, "wait", found.append)
        return a_loop, found

    def test_loop_at_rest_waits_until_somebody_writes(
        self, waits: tuple[Loop, list[float]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_loop, found = waits
        quiet = iter([True, True, False])
        monkeypatch.setattr(a_loop._sweep_pace, "is_at_rest", lambda now: True)
        monkeypatch.setattr(a_loop._dispatcher, "is_quiet", lambda: next(quiet))
        a_loop._pause(busy=False)
        assert found == [loop.IDLE_PAUSE] * 3

    def test_loop_that_had_work_just_now_looks_again_soon(
        self, waits: tuple[Loop, list[float]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_loop, found = waits
        monkeypatch.setattr(a_loop._dispatcher, "is_quiet", lambda: True)
        a_loop._pause(busy=False)
        assert found == [loop.IDLE_PAUSE]
