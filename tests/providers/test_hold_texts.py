"""What the page says about the past of the database, and only where it is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.acts import record_act
from core.models import Act
from providers.models import ApiCall, Hold
from providers.presentation.hold_past import past_of
from providers.presentation.hold_texts import (
    BANNERS,
    CAUSES,
    act_text,
    banner_text,
    cause_text,
    missing_texts,
    steps,
)
from tests.factories.accounts import make_account

pytestmark = pytest.mark.django_db
BACKUP = datetime(2025, 11, 20, 5, 31, 10, tzinfo=UTC)
IN_USE = BACKUP + timedelta(minutes=15)


def evidence(**values: Any) -> dict[str, Any]:
    known = {
        "counter": 91_102,
        "data": {"counter": 91_204, "written_at": IN_USE.isoformat()},
        "state": {"counter": 91_000, "written_at": BACKUP.isoformat()},
        "restored_at": (IN_USE + timedelta(minutes=1)).isoformat(),
        "restored_from": "portal-1331.dump",
        "newest_sign": None,
        "host": "sms-1",
    }
    return {"evidence": [{**known, **values}]}


def hold_with(details: object, cause: str = Hold.Cause.OLDER) -> Hold:
    return Hold.objects.create(cause=cause, details=details)


def restored(**values: Any) -> Hold:
    """A hold after a backup was restored by the command."""
    record_act(
        "backup.restore",
        by=None,
        backup="portal-1331.dump",
        made_at=BACKUP.isoformat(),
        version="1.0.0",
        counts={"messaging_message": 482_110},
    )
    return hold_with(evidence(**values), Hold.Cause.RESTORED)


def missing(hold: Hold) -> str:
    return " ".join(missing_texts(hold, past_of(hold)))


def happened(hold: Hold) -> list[tuple[str, str]]:
    return [(step.entry.text, step.evidence) for step in steps(hold, past_of(hold), [])]


def test_every_cause_has_a_sentence_of_its_own() -> None:
    assert set(BANNERS) == set(CAUSES) == set(Hold.Cause.values)
    for cause in Hold.Cause.values:
        hold = Hold(cause=cause)
        assert "On hold since" in banner_text(hold)
        assert cause_text(hold)


def test_story_runs_from_the_backup_to_the_hold() -> None:
    hold = restored()
    assert happened(hold) == [
        ("The backup was made", "version 1.0.0, 482,110 messages"),
        ("A newer database was in use", "its counter is 91,204; that of this database was 91,102"),
        ("Restored from a backup", "portal-1331.dump"),
        (
            "Put on hold automatically, on host sms-1",
            "pages, callbacks and balances continue",
        ),
    ]


def test_hold_by_hand_shows_who_and_why() -> None:
    hold = Hold.objects.create(cause=Hold.Cause.BY_HAND, reason="A test of the provider")
    assert happened(hold) == [
        ("Put on hold – the administrator's command", "A test of the provider")
    ]
    assert missing(hold) == "The portal has no sign that anything is missing."


def test_missing_period_is_named_only_if_both_ends_are_known() -> None:
    whole = restored()
    assert "is missing here: 15 min." in missing(whole)
    Hold.objects.all().delete()
    part = missing(hold_with(evidence(restored_from="")))
    assert "Calls were started that are not on record here." in part
    assert "How far back this one goes is unknown." in part


def test_new_past_alone_is_not_shown_as_calls() -> None:
    """Each hold begins a new past, which the upper bits of the counter number."""
    later: dict[str, object] = {"counter": 2 << 40, "written_at": IN_USE.isoformat()}
    hold = hold_with(evidence(data=later, restored_from=""))
    assert "A newer database was in use at" in missing(hold)
    assert "Calls were started" not in missing(hold)
    assert ("A newer database was in use", "") in happened(hold)
    Hold.objects.all().delete()
    later["counter"] = (2 << 40) + 1
    assert "Calls were started" in missing(hold_with(evidence(data=later, restored_from="")))


def test_counts_are_shown_within_one_past() -> None:
    past = 3 << 40
    later = {"counter": past + 12, "written_at": IN_USE.isoformat()}
    hold = hold_with(evidence(counter=past + 7, data=later, state=None))
    assert "its counter is 12; that of this database was 7" in dict(happened(hold)).values()


def test_database_that_is_not_behind_misses_nothing_known() -> None:
    same = {"counter": 91_102, "written_at": IN_USE.isoformat()}
    hold = restored(data=same, state=None)
    assert missing(hold).startswith("Whether anything is missing here cannot be known.")
    assert "A newer database was in use" not in dict(happened(hold))


def test_record_of_another_backup_is_not_taken_for_this_one() -> None:
    hold = restored(restored_from="portal-0900.dump")
    assert "The backup was made" not in dict(happened(hold))


def test_estimate_is_made_from_calls_that_cost_and_only_from_enough_of_them() -> None:
    account = make_account()
    calls = {"account": account, "duration": 0.1, "method": "POST", "url": "", "outcome": "done"}
    at = BACKUP - timedelta(hours=1)
    rows = [ApiCall(operation="send_text", started_at=at, **calls) for _ in range(959)]
    rows += [ApiCall(operation="fetch_balance", started_at=at, **calls) for _ in range(500)]
    ApiCall.objects.bulk_create(rows)
    hold = restored()
    assert "It made 959 calls" in missing(hold)
    assert "is about 10 calls." in missing(hold)
    texts = ApiCall.objects.filter(operation="send_text").order_by("pk")
    texts.filter(pk__gte=texts[19].pk).delete()
    assert "calls that may cost" not in missing(hold)


@pytest.mark.parametrize(
    "details",
    [
        {},
        [],
        "text",
        {"evidence": None},
        {"evidence": ["x"]},
        evidence(counter="x", data=[], state="y", restored_at=5, newest_sign="2025-99-99"),
        evidence(counter=None, data={"counter": True, "written_at": "yesterday"}, host=None),
    ],
)
def test_details_of_another_form_are_left_out(details: object) -> None:
    hold = hold_with(details)
    assert happened(hold)
    assert missing(hold)


def test_act_names_the_group_in_the_language_of_the_reader() -> None:
    details = {"group": "codes:1", "titles": {"en": "Codes", "zh-hans": "验证码"}, "count": 5605}
    act = Act(what="hold.discard", details=details)
    assert act_text(act) == "Not to be sent: Codes, 5,605 – the administrator's command"
    assert "codes:1" in act_text(Act(what="hold.release", details={"group": "codes:1"}))


def test_later_cause_is_shown_with_what_joined() -> None:
    details = {"cause": "by_hand", "held": {"messages": 2, "orders": 1}}
    text = act_text(Act(what="hold.extend", details=details))
    assert text == "Put on hold again: Put on hold by hand; 3 more wait"
