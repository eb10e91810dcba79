"""Each loop computes an even share of the accounts from the same rows."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.engine.lease_shares import LeaseState, compute_shares, share_of

TWO_HOSTS = {"a1": "A", "a2": "A", "b1": "B", "b2": "B"}


def leases_of(holders: list[str]) -> list[LeaseState]:
    """One lease for each holder; "" is a free one."""
    return [LeaseState(number, holder, not holder) for number, holder in enumerate(holders)]


def test_accounts_are_shared_evenly_among_loops_and_hosts() -> None:
    shares = compute_shares(TWO_HOSTS, Counter(), 9)
    assert sorted(shares.values()) == [2, 2, 2, 3]
    shares = compute_shares(TWO_HOSTS, Counter(), 10)
    assert shares["a1"] + shares["a2"] == shares["b1"] + shares["b2"] == 5


def test_accounts_left_over_stay_where_they_are() -> None:
    held = Counter({"a1": 2, "a2": 2, "b1": 2, "b2": 3})
    assert compute_shares(TWO_HOSTS, held, 9) == held


def test_more_loops_than_accounts_leave_loops_without_one() -> None:
    assert sorted(compute_shares(TWO_HOSTS, Counter({"b2": 1}), 1).items())[-1] == ("b2", 1)


def test_only_loop_takes_every_free_account() -> None:
    share = share_of("a1", {"a1": "A"}, leases_of(["", "", ""]))
    assert (sorted(share.to_take), share.wanted, share.surplus) == ([0, 1, 2], 3, 0)


def test_loop_that_joins_makes_the_other_one_give() -> None:
    leases = leases_of(["a1"] * 4)
    loops = {"a1": "A", "b1": "B"}
    assert share_of("a1", loops, leases).surplus == 2
    assert share_of("b1", loops, leases).wanted == 2


def test_leases_of_loops_that_do_not_share_are_left_alone() -> None:
    leases = leases_of(["older", "older", "a1", ""])
    share = share_of("a1", {"a1": "A", "b1": "B"}, leases)
    assert (share.wanted, share.surplus) == (0, 0)


def test_account_left_over_stays_on_the_smaller_host() -> None:
    loops = {"a1": "A", "a2": "A", "a3": "A", "b1": "B"}
    held = Counter({"a1": 1, "a2": 1, "a3": 1, "b1": 2})
    assert compute_shares(loops, held, 5) == held


@st.composite
def engines(draw: st.DrawFn) -> tuple[dict[str, str], list[str]]:
    names = [f"loop {number}" for number in range(draw(st.integers(1, 7)))]
    loops = {name: draw(st.sampled_from("ABC")) for name in names}
    holders = draw(st.lists(st.sampled_from([*names, "", "older"]), max_size=30))
    return loops, holders


@settings(max_examples=500)
@given(engines())
def test_shares_use_up_all_accounts_and_settle(engine: tuple[dict[str, str], list[str]]) -> None:
    loops, holders = engine
    shared = sum(holder != "older" for holder in holders)
    shares = compute_shares(loops, Counter(holders), shared)
    assert sum(shares.values()) == shared
    assert max(shares.values()) - min(shares.values()) <= 1
    # Once each loop holds its share, no loop takes or gives.
    settled = leases_of([loop for loop, number in shares.items() for _ in range(number)])
    for loop in loops:
        share = share_of(loop, loops, settled)
        assert (share.wanted, share.surplus) == (0, 0)


@pytest.mark.parametrize("free", [1, 4, 9])
def test_two_loops_begin_with_different_leases(free: int) -> None:
    leases = leases_of([""] * free)
    firsts = {share_of(loop, TWO_HOSTS, leases).to_take[0] for loop in TWO_HOSTS}
    assert len(firsts) == min(free, len(TWO_HOSTS))
