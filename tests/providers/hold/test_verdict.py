"""The verdict of a start, for every combination of what can be known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from messaging.models import Message
from providers.hold import fence, fence_files, verdict
from providers.hold.fence_files import Copy
from providers.hold.verdict import Evidence, decide, decide_at_start
from providers.models import Fence, Hold, heartbeat
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.threads import at_once

pytestmark = pytest.mark.usefixtures("hold_messages_only")

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
ANY: Final = ""

Row = tuple[str, str, str, str, str, str, str]

# The first row that fits decides. Words with | are alternatives, an empty word fits all.
# restored, files, counter, server, newest sign, database -> verdict
TABLE: Final[list[Row]] = [
    ("yes", ANY, ANY, ANY, ANY, ANY, "hold restored"),
    ("no", "both|one", "lower", ANY, ANY, ANY, "hold older"),
    ("no", "both", "equal|higher", "other", ANY, ANY, "notice"),
    ("no", "both", "equal|higher", ANY, "old|ahead", ANY, "notice"),
    ("no", "both", "equal|higher", ANY, ANY, ANY, "trusted"),
    # From here on a file is missing. Without both files, "equal" says that there is a counter.
    ("no", "none", "equal|higher", ANY, ANY, "sqlite", "hold no_fence"),
    ("no", "none", "equal|higher", "other", ANY, ANY, "hold no_fence"),
    ("no", ANY, ANY, ANY, "none", ANY, "hold no_fence"),
    ("no", ANY, ANY, ANY, "old|ahead", ANY, "hold gap"),
    ("no", ANY, ANY, "other", "young", ANY, "notice"),
    ("no", ANY, ANY, ANY, "young", ANY, "trusted"),
]
FILES: Final = {"both": 2, "one": 1, "none": 0}
COUNTERS: Final = {"lower": 0, "equal": 5, "higher": 6}
SERVERS: Final = {"same": "1/01/9", "other": "1/02/9", "hidden": ""}
SIGNS: Final = {
    "young": NOW - timedelta(minutes=14),
    "old": NOW - timedelta(minutes=16),
    "ahead": NOW + timedelta(minutes=16),
    "none": None,
}


def expected(*words: str) -> str:
    for *row, result in TABLE:
        if all(not fits or word in fits.split("|") for fits, word in zip(row, words, strict=True)):
            return result
    raise AssertionError(words)


@pytest.mark.parametrize(
    "words",
    list(product(("yes", "no"), FILES, COUNTERS, SERVERS, SIGNS, ("sqlite", "postgresql"))),
    ids=" ".join,
)
def test_verdict_of_every_combination(words: tuple[str, ...]) -> None:
    restored, files, counter, server, sign, database = words
    copies = [Copy(5)] * FILES[files] + [None, None]
    evidence = Evidence(
        counter=COUNTERS[counter],
        data=copies[0],
        state=copies[1],
        identity=SERVERS[server],
        stored_identity="1/01/9",
        newest_sign=SIGNS[sign],
        restored_at=NOW if restored == "yes" else None,
        on_sqlite=database == "sqlite",
        at=NOW,
    )
    found, cause = decide(evidence)
    assert " ".join(filter(None, (found.value, cause and cause.value))) == expected(*words)


def test_one_of_two_files_with_a_higher_counter_is_enough() -> None:
    """As after the whole data folder was copied back: its own file is as old as the database."""
    for data, state in ((Copy(5), Copy(9)), (Copy(9), Copy(5))):
        assert decide(Evidence(counter=5, data=data, state=state))[1] == Hold.Cause.OLDER


def test_counter_of_zero_counts_as_new_and_leaves_it_to_the_gap(settings: Settings) -> None:
    """As after an upgrade from a version without a fence."""
    for on_sqlite in (True, False):
        young = Evidence(counter=0, newest_sign=SIGNS["young"], on_sqlite=on_sqlite, at=NOW)
        assert decide(young) == (verdict.Verdict.TRUSTED, None)
        old = Evidence(counter=0, newest_sign=SIGNS["old"], on_sqlite=on_sqlite, at=NOW)
        assert decide(old) == (verdict.Verdict.HOLD, Hold.Cause.GAP)


def test_gap_is_a_setting(settings: Settings) -> None:
    settings.RESUME_WITHIN_MINUTES = 60
    assert decide(Evidence(counter=0, newest_sign=SIGNS["old"], at=NOW))[1] is None


# --- a real start ---------------------------------------------------------------------


@pytest.fixture
def message(db: None) -> Message:
    return make_message()


def start_again() -> verdict.Decision:
    """As a new process does."""
    fence.forget()
    return decide_at_start()


def set_counter(counter: int) -> None:
    Fence.objects.filter(pk=Fence.SINGLETON).update(counter=counter)


def worked_until_now() -> None:
    """The engine has worked until this moment, with a fence of 5 rises."""
    decide_at_start()
    set_counter(fence.seen() + 5)
    fence.look()
    heartbeat("loop:1")


def state_of(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_first_start_on_an_empty_database_is_trusted_from_then_on(db: None) -> None:
    first = decide_at_start()
    assert (first.verdict, first.hold, first.text) == ("trusted", None, "")
    assert (start_again().verdict, start_again().text) == ("trusted", "")


def test_normal_restart_continues(message: Message) -> None:
    heartbeat("engine")
    worked_until_now()
    assert start_again().verdict == "trusted"
    assert state_of(message) == "queued"


def test_start_after_a_weekend_is_a_notice_with_its_beginning(message: Message) -> None:
    heartbeat("engine")
    worked_until_now()
    friday = timezone.now() - timedelta(days=3)
    heartbeat("loop:1", at=friday)
    heartbeat("engine", at=friday)
    Fence.objects.update(checked_at=friday)
    decision = start_again()
    assert decision.verdict == "notice"
    assert f"has not worked since {friday:%Y-%m-%d %H:%M} UTC" in decision.text
    assert state_of(message) == "queued"


def test_older_database_is_put_on_hold_with_a_new_past(message: Message) -> None:
    heartbeat("engine")
    worked_until_now()
    before = fence.seen()
    set_counter(before - 1)
    decision = start_again()
    assert decision.cause == Hold.Cause.OLDER
    assert decision.hold == Hold.objects.get()
    assert decision.text.startswith("On hold: the database is older")
    assert state_of(message) == "held"
    assert fence.past_of(fence.seen()) == fence.past_of(before) + 1
    assert fence_files.highest() == Fence.objects.get().counter == fence.seen()


def test_hold_is_begun_once_for_an_older_database(message: Message) -> None:
    heartbeat("engine")
    worked_until_now()
    set_counter(1)
    start_again()
    later = make_message()
    assert start_again().hold is None
    assert (state_of(message), state_of(later)) == ("held", "queued")


@pytest.mark.parametrize("name", ["data", "state"])
def test_missing_copy_leaves_it_to_the_gap(message: Message, name: str) -> None:
    heartbeat("engine")
    worked_until_now()
    (fence_files.folders()[name] / fence_files.NAME).unlink()
    assert start_again().verdict == "trusted"
    (fence_files.folders()[name] / fence_files.NAME).unlink()
    for beat in ("engine", "loop:1"):
        heartbeat(beat, at=timezone.now() - timedelta(hours=1))
    Fence.objects.update(checked_at=timezone.now() - timedelta(hours=1))
    assert start_again().cause == Hold.Cause.GAP
    assert state_of(message) == "held"


def test_sqlite_without_any_copy_is_put_on_hold(message: Message) -> None:
    heartbeat("engine")
    worked_until_now()
    for folder in fence_files.folders().values():
        (folder / fence_files.NAME).unlink()
    cause = start_again().cause
    assert cause == (Hold.Cause.NO_FENCE if connection.vendor == "sqlite" else None)


def test_database_on_another_server_without_any_copy_is_put_on_hold(message: Message) -> None:
    heartbeat("engine")
    worked_until_now()
    Fence.objects.update(identity="another/01/1")
    for folder in fence_files.folders().values():
        (folder / fence_files.NAME).unlink()
    assert start_again().cause == Hold.Cause.NO_FENCE


def test_planned_switchover_is_one_notice(message: Message) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server.")
    heartbeat("engine")
    worked_until_now()
    Fence.objects.update(identity="another/01/1")
    decision = start_again()
    assert decision.verdict == "notice"
    assert decision.text.startswith("Another database server has taken over.")
    assert start_again().verdict == "trusted"
    assert state_of(message) == "queued"


def test_restored_mark_is_used_up_by_one_verdict(message: Message) -> None:
    heartbeat("engine")
    worked_until_now()
    Fence.objects.update(restored_at=timezone.now(), restored_from="portal-1331.dump")
    assert start_again().cause == Hold.Cause.RESTORED
    assert state_of(message) == "held"
    assert start_again().verdict == "trusted"
    (entry,) = Hold.objects.get().details["evidence"]
    assert entry["restored_from"] == "portal-1331.dump"
    assert entry["held"] == {"messages": 1}


@pytest.mark.parametrize("beat", ["queue", "web", "callbacks"])
def test_only_beats_of_the_engine_count(message: Message, beat: str) -> None:
    heartbeat("engine", at=timezone.now() - timedelta(minutes=20))
    heartbeat(beat)
    assert decide_at_start().cause == Hold.Cause.GAP


def test_upgrade_within_the_gap_continues(message: Message) -> None:
    heartbeat("engine", at=timezone.now() - timedelta(minutes=10))
    assert decide_at_start().verdict == "trusted"
    assert state_of(message) == "queued"


def test_nothing_is_held_where_nothing_waits(db: None) -> None:
    Fence.objects.create(pk=Fence.SINGLETON, restored_at=timezone.now(), counter=3)
    decision = decide_at_start()
    assert (decision.verdict, decision.hold) == ("notice", None)
    assert decision.text.startswith("Note: the database was restored from a backup. Nothing waits")
    assert not Hold.objects.exists()
    assert start_again().verdict == "trusted"


def test_nothing_is_held_where_only_the_sandbox_waits(settings: Settings, db: None) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:8801"
    message = make_message(make_account(base_url="http://127.0.0.1:8801/haorui"))
    Fence.objects.create(pk=Fence.SINGLETON, restored_at=timezone.now())
    assert decide_at_start().hold is None
    assert state_of(message) == "queued"


def test_verdict_is_stored_with_what_it_was_based_on(message: Message) -> None:
    heartbeat("engine", at=timezone.now() - timedelta(minutes=20))
    decide_at_start()
    row = Fence.objects.get()
    assert (row.verdict, row.details["cause"]) == ("hold", "gap")
    assert row.checked_at is not None
    assert row.details["counter"] == 0
    assert django_settings.RESUME_WITHIN_MINUTES == 15


def test_second_start_between_commit_and_files_of_the_first_finds_its_files(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise SQLite with a counter and no file would be a hold of its own."""
    heartbeat("engine", at=timezone.now() - timedelta(minutes=20))

    class Killed(BaseException):
        pass

    def die(_: int) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(fence, "adopt", die)
        with pytest.raises(Killed):
            decide_at_start()
    later = make_message()
    assert start_again().cause is None
    assert (state_of(message), state_of(later)) == ("held", "queued")


def test_second_start_after_a_long_stop_finds_the_verdict_of_the_first(message: Message) -> None:
    """As on another host, which has no files yet."""
    heartbeat("engine", at=timezone.now() - timedelta(minutes=20))
    assert decide_at_start().cause == Hold.Cause.GAP
    (fence_files.folders()["state"] / fence_files.NAME).unlink()
    later = make_message()
    assert start_again().cause is None
    assert state_of(later) == "queued"


@pytest.mark.django_db(transaction=True)
def test_starts_at_the_same_time_begin_one_hold() -> None:
    make_message()
    heartbeat("engine", at=timezone.now() - timedelta(minutes=20))
    decisions = at_once(decide_at_start, 4)
    assert [decision.cause for decision in decisions].count(Hold.Cause.GAP) == 1
    assert Hold.objects.count() == 1
    assert Hold.objects.get().details["evidence"][0]["held"] == {"messages": 1}
    assert len(Hold.objects.get().details["evidence"]) == 1
