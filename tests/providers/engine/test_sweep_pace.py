"""A loop without work sweeps rarely, and at once if it takes an account over."""

from __future__ import annotations

from providers.engine.sweep_pace import RESTS_AFTER, SWEEP_AT_REST, SWEEP_EVERY, SweepPace
from providers.engine.work_source import sources


def sweep_all(pace: SweepPace, now: float) -> int:
    """Sweep every source that is due. Returns their number."""
    return sum(1 for _ in iter(lambda: pace.due(now), None))


def test_every_source_is_swept_one_after_the_other() -> None:
    pace = SweepPace()
    assert sweep_all(pace, 0.0) == len(sources())
    assert sweep_all(pace, SWEEP_EVERY - 1) == 0
    assert sweep_all(pace, SWEEP_EVERY) == len(sources())


def test_sweeps_become_rarer_without_work() -> None:
    pace = SweepPace()
    sweep_all(pace, 0.0)
    now = RESTS_AFTER + 1
    sweep_all(pace, now)
    assert sweep_all(pace, now + SWEEP_AT_REST - 1) == 0
    assert sweep_all(pace, now + SWEEP_AT_REST) == len(sources())


def test_work_makes_them_frequent_again() -> None:
    pace = SweepPace()
    sweep_all(pace, 0.0)
    now = RESTS_AFTER + 1
    pace.note_work(now)
    sweep_all(pace, now)
    assert sweep_all(pace, now + SWEEP_EVERY) == len(sources())


def test_loop_that_takes_an_account_over_sweeps_at_once() -> None:
    pace = SweepPace()
    sweep_all(pace, 0.0)
    now = RESTS_AFTER + 1
    sweep_all(pace, now)
    pace.start_over(now + 1)
    assert sweep_all(pace, now + 1) == len(sources())
