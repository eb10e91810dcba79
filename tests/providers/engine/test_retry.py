"""When, and how often, a call that did nothing is repeated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from providers.engine import retry
from providers.engine.retry import next_try
from providers.gateway.errors import NotDone
from providers.gateway.vocabulary import Reason

NOW = timezone.now()
UNREACHABLE = NotDone(Reason.UNREACHABLE)


@pytest.mark.parametrize(("tries", "seconds"), [(0, 2), (1, 10)])
def test_each_further_try_waits_longer(tries: int, seconds: int) -> None:
    again = next_try(UNREACHABLE, tries, NOW)
    assert again is not None
    assert (again.tries, again.not_before - NOW) == (tries + 1, timedelta(seconds=seconds))


def test_longest_wait_applies_to_further_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry, "MAX_TRIES", 5)
    again = next_try(UNREACHABLE, 3, NOW)
    assert again is not None
    assert again.not_before - NOW == timedelta(seconds=10)


@pytest.mark.parametrize("tries", [2, 3, 7])
def test_third_failure_is_the_last(tries: int) -> None:
    assert next_try(UNREACHABLE, tries, NOW) is None


@pytest.mark.parametrize(
    "reason", [Reason.REDIRECTED, Reason.FORBIDDEN_ADDRESS, Reason.PORTAL_FAULT]
)
def test_hopeless_call_is_not_tried_again(reason: Reason) -> None:
    assert next_try(NotDone(reason), 0, NOW) is None


@pytest.mark.parametrize("tries", [0, 3, 50])
def test_rate_limited_call_costs_no_try_and_no_extra_wait(tries: int) -> None:
    again = next_try(NotDone(Reason.RATE_LIMITED), tries, NOW)
    assert again is not None
    assert (again.tries, again.not_before) == (tries, NOW)
