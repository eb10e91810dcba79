"""Whoever changes, removes or adds acts past the portal is found out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from audit import anchors, chain, digests, tasks, triggers
from audit.addresses import address_of, facts_of
from audit.erasure import acts_that_mention, erase_personal
from audit.models import ChainCheck, Seal
from audit.seal_acts import seal_all, seal_waiting
from core.acts import record_act, record_acts
from core.models import Act, ActPersonal
from core.phones.tokens import token_of
from tests.factories.staff import make_user
from tests.support.client_addresses import from_address

pytestmark = pytest.mark.django_db


@contextmanager
def by_hand() -> Iterator[Any]:
    """What somebody does who may change the database and its triggers."""
    triggers.remove()
    with connection.cursor() as cursor:
        yield cursor
    triggers.install()


def delete_parts(cursor: Any, condition: str) -> None:
    for table in ("core_actpersonal", "audit_actaddress"):
        acts = f"SELECT id FROM core_act WHERE {condition}"
        cursor.execute(f"DELETE FROM {table} WHERE act_id IN ({acts})")


def checked() -> ChainCheck:
    check = ChainCheck.objects.create()
    assert chain.go_on(check)
    return check


def found() -> list[tuple[str, int | None]]:
    return [(one["kind"], one["seal"]) for one in checked().breaks]


def make_chain() -> list[Act]:
    """Three seals over five acts."""
    by = make_user()
    acts = record_acts("message.cancelled", by=by, subjects=["message:1", "message:2"])
    seal_all()
    acts += [
        record_act("reveal", by=by, subject="message:1", reason="Müller 客户 asked"),
        record_act("export", by=by, personal={"filters": "q=x"}, count=3, ratio=1.5),
    ]
    seal_all()
    with from_address("192.0.2.7"):
        acts.append(record_act("sign_in", by=by, personal={"name": "li.na"}))
    seal_all()
    assert [seal.count for seal in Seal.objects.order_by("number")] == [2, 2, 1]
    return acts


def test_a_chain_that_nobody_touched_is_whole() -> None:
    make_chain()
    check = checked()
    assert (check.breaks, check.acts, check.reached) == ([], 5, 3)


def test_nothing_is_sealed_twice_and_late_commits_are_sealed() -> None:
    first, late, last = record_acts("sign_out", by=None, subjects=["", "", ""])
    Act.objects.filter(pk=late.pk)
    with by_hand() as cursor:
        # As if it was not committed yet when the others were sealed.
        cursor.execute("DELETE FROM core_act WHERE id = %s", [late.pk])
    seal_all()
    late.save(force_insert=True)
    seal_all()
    seals = dict(Act.objects.values_list("pk", "seal"))
    assert (seals[first.pk], seals[last.pk], seals[late.pk]) == (1, 1, 2)
    assert seal_waiting() is None
    assert found() == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE core_act SET what = 'sign_in' WHERE subject = 'message:2'", ("act_changed", 1)),
        ("UPDATE core_act SET details = '{}' WHERE what = 'export'", ("act_changed", 2)),
        ("UPDATE core_act SET at = '2026-01-01 00:00:00+00' WHERE seal = 1", ("act_changed", 1)),
        ("UPDATE core_act SET by_id = NULL WHERE what = 'export'", ("act_changed", 2)),
        ("UPDATE core_act SET subject = 'message:9' WHERE seal = 1", ("act_changed", 1)),
        ("UPDATE core_act SET reason = 'other' WHERE what = 'reveal'", ("act_changed", 2)),
        ("UPDATE core_act SET personal_digest = '' WHERE what = 'reveal'", ("act_changed", 2)),
        ("UPDATE audit_seal SET previous = '' WHERE number = 2", ("seal_changed", 2)),
        (
            """UPDATE audit_seal SET lost = '{"number": 9, "hash": "x"}' WHERE number = 2""",
            ("seal_changed", 2),
        ),
        ("DELETE FROM core_act WHERE subject = 'message:2'", ("act_removed", 1)),
        ("UPDATE core_act SET seal = 3 WHERE subject = 'message:2'", ("act_added", 3)),
        ("UPDATE core_act SET seal = 9 WHERE what = 'sign_in'", ("act_added", None)),
        ("UPDATE core_actpersonal SET text = '{}'", ("personal_changed", 2)),
        ("DELETE FROM audit_seal WHERE number = 2", ("seal_removed", 2)),
        ("UPDATE audit_seal SET count = 1 WHERE number = 1", ("seal_changed", 1)),
        ("UPDATE audit_seal SET mac = previous WHERE number = 2", ("signature", 2)),
    ],
)
def test_change_past_the_portal_is_found(statement: str, expected: tuple[str, int | None]) -> None:
    make_chain()
    with by_hand() as cursor:
        cursor.execute(statement)
    assert expected in found()


def test_hash_of_a_seal_vouches_for_all_before_it() -> None:
    make_chain()
    seal = Seal.objects.get(number=3)
    seal.previous = "another"
    assert digests.hash_of(seal) != seal.hash


def test_seal_of_another_past_does_not_fit_into_the_chain() -> None:
    """Each seal by itself is genuine: it was made by this portal, before a restore and after it."""
    make_chain()
    kept = Seal.objects.get(number=3)
    act = Act.objects.get(seal=3)
    with by_hand() as cursor:
        cursor.execute("UPDATE core_act SET seal = NULL WHERE seal = 2")
        cursor.execute("DELETE FROM audit_seal WHERE number > 1")
        cursor.execute("UPDATE core_act SET seal = 9 WHERE id = %s", [act.pk])
    record_act("sign_out", by=None)
    seal_all()
    with by_hand() as cursor:
        cursor.execute("UPDATE core_act SET seal = 3 WHERE id = %s", [act.pk])
    kept.save(force_insert=True)
    assert ("seal_changed", 3) in found()


def test_removed_personal_row_is_found_unless_it_was_erased() -> None:
    acts = make_chain()
    erase_personal([acts[2].pk])
    assert found() == []
    ActPersonal.objects.filter(pk=acts[3].pk).delete()
    assert found() == [("personal_removed", 2)]


def test_a_cut_tail_is_found_by_what_the_host_remembers() -> None:
    make_chain()
    with by_hand() as cursor:
        delete_parts(cursor, "seal = 3")
        cursor.execute("DELETE FROM core_act WHERE seal = 3")
        cursor.execute("DELETE FROM audit_seal WHERE number = 3")
    assert found() == [("cut", 3)]
    # Later seals do not hide it.
    record_act("sign_out", by=None)
    seal_all()
    assert found() == [("cut", 3)]


@pytest.mark.parametrize(
    ("what", "details"), [("backup.restore", {}), ("hold.begin", {"cause": "restored"})]
)
def test_a_restore_is_an_announced_break(what: str, details: dict[str, Any]) -> None:
    make_chain()
    with by_hand() as cursor:
        delete_parts(cursor, "seal > 1")
        cursor.execute("DELETE FROM core_act WHERE seal > 1")
        cursor.execute("DELETE FROM audit_seal WHERE number > 1")
    record_act(what, by=None, **details)
    seal_all()
    seal = Seal.objects.get(number=2)
    assert seal.lost is not None
    assert seal.lost["number"] == 3
    assert found() == []
    # A host whose files are older than the cut is told as well.
    assert anchors.missing_anchor() is None


def test_a_seal_forged_without_the_key_is_found(settings: Settings) -> None:
    make_chain()
    right, settings.SECRETS_KEYS = settings.SECRETS_KEYS, [Fernet.generate_key().decode()]
    record_act("sign_out", by=None)
    seal_all()
    settings.SECRETS_KEYS = right
    assert found() == [("signature", 4)]


def test_chain_stays_whole_while_keys_are_rotated_and_after_old_ones_are_gone(
    settings: Settings,
) -> None:
    make_chain()
    old, new = settings.SECRETS_KEYS, Fernet.generate_key().decode()
    settings.SECRETS_KEYS = [new, *old]
    record_act("sign_out", by=None)
    seal_all()
    assert found() == []
    settings.SECRETS_KEYS = [new]
    assert found() == []
    with by_hand() as cursor:
        cursor.execute("UPDATE core_act SET what = 'x' WHERE seal = 1")
    assert found() == [("act_changed", 1)]


def test_erasing_keeps_the_chain_whole_and_leaves_nothing_behind() -> None:
    make_chain()
    number = "+8613912345678"
    act = record_act("reveal", by=None, reason=f"asked about {number}")
    assert list(acts_that_mention(number)) == [act]
    assert erase_personal(acts_that_mention(number).values_list("pk", flat=True)) == 1
    assert erase_personal([act.pk]) == 0
    assert not ActPersonal.objects.filter(text__contains=number).exists()
    act.refresh_from_db()
    assert (act.why, act.personal) == ("", {})
    assert found() == []


TOKEN: Final = token_of("+8613912345678")


def test_words_of_an_earlier_version_move_to_the_personal_row_and_can_be_erased() -> None:
    act = Act.objects.create(
        what="reveal", subject=f"number:{TOKEN}", reason="typed", details={"address": "192.0.2.7"}
    )
    seal_all()
    act = Act.objects.get()
    assert (act.reason, act.subject, facts_of(act)) == ("", "", {})
    assert act.personal == {"reason": "typed", "number": TOKEN}
    assert address_of(act) == "192.0.2.7"
    assert found() == []
    assert erase_personal([act.pk]) == 1
    assert found() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_act SET what = 'other'",
        "UPDATE core_act SET seal = NULL",
        "DELETE FROM core_act",
        "UPDATE core_actpersonal SET text = '{}'",
        "UPDATE audit_seal SET count = 1",
        "DELETE FROM audit_seal",
    ],
)
def test_database_refuses_changes(statement: str) -> None:
    make_chain()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_act_that_waits_for_its_seal_cannot_be_changed() -> None:
    record_act("sign_out", by=None)
    for change in ({"what": "sign_in"}, {"what": "sign_in", "seal": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Act.objects.update(**change)


def test_missing_triggers_are_found() -> None:
    make_chain()
    triggers.remove()
    assert found() == [("unguarded", None)]
    triggers.install()
    assert found() == []


def test_task_seals_and_checks_once_a_day(caplog: pytest.LogCaptureFixture) -> None:
    record_act("sign_out", by=None)
    with caplog.at_level(logging.INFO):
        tasks.seal()
    assert Seal.objects.get().hash in caplog.text
    tasks.seal()
    assert ChainCheck.objects.count() == 1
    ChainCheck.objects.update(begun_at=timezone.now() - timedelta(hours=25))
    with by_hand() as cursor:
        cursor.execute("DELETE FROM core_act")
    tasks.seal()
    newest = ChainCheck.objects.latest("begun_at")
    assert [one["kind"] for one in newest.breaks] == ["act_removed"]
    assert "The chain of the audit log is broken: act_removed." in caplog.text


def test_check_goes_on_where_a_slice_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    make_chain()
    monkeypatch.setattr(chain, "SEALS", 1)
    check = ChainCheck.objects.create()
    assert not chain.go_on(check, seconds=0)
    ChainCheck.objects.filter(pk=check.pk).update(reached=2, acts=4)
    check.refresh_from_db()
    assert chain.go_on(check)
    assert (check.breaks, check.acts) == ([], 5)
