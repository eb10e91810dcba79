"""How often a call that did nothing is made again, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from providers.engine.retry import HOPELESS, MAX_TRIES, next_try
from providers.gateway.errors import NotDone
from providers.gateway.vocabulary import Reason

NOW = timezone.now()
UNREACHABLE = NotDone(Reason.UNREACHABLE)


@pytest.mark.parametrize(("tries", "seconds"), [(0, 2), (1, 10)])
def test_each_further_try_waits_longer(tries: int, seconds: int) -> None:
    again = next_try(UNREACHABLE, tries, NOW)
    assert again is not None
    assert (again.tries, again.not_before - NOW) == (tries + 1, timedelta(seconds=seconds))


@pytest.mark.parametrize("tries", [MAX_TRIES - 1, MAX_TRIES, 7])
def test_third_failure_is_the_last(tries: int) -> None:
    assert next_try(UNREACHABLE, tries, NOW) is None


@pytest.mark.parametrize("reason", sorted(HOPELESS))
def test_what_can_never_succeed_is_not_tried_again(reason: Reason) -> None:
    assert next_try(NotDone(reason), 0, NOW) is None


@pytest.mark.parametrize("tries", [0, MAX_TRIES, 50])
def test_rate_limited_call_costs_no_try_and_waits_for_the_account_alone(tries: int) -> None:
    again = next_try(NotDone(Reason.RATE_LIMITED), tries, NOW)
    assert again is not None
    assert (again.tries, again.not_before) == (tries, NOW)
