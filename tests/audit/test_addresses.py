"""The address from which an act came stands in a row of its own, which may be blanked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import chain
from audit.addresses import address_of, facts_of
from audit.erasure import erase_personal
from audit.models import ActAddress, ChainCheck
from audit.seal_acts import seal_all
from core import retention
from core.acts import record_act, record_acts
from core.models import Act
from privacy import forget, rules
from tests.factories.messages import make_message
from tests.factories.staff import make_staff
from tests.support.client_addresses import from_address

pytestmark = pytest.mark.django_db


def found() -> list[tuple[str, int | None]]:
    check = ChainCheck.objects.create()
    assert chain.go_on(check)
    return [(one["kind"], one["act"]) for one in check.breaks]


def test_act_of_a_page_has_the_address_of_its_request() -> None:
    message = make_message()
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(make_staff("manager"))
    client.post(reverse("admin:messaging_message_cancel", args=[message.public_id]))
    act = Act.objects.get(what="message.cancelled")
    assert (address_of(act), act.personal, facts_of(act)) == ("192.0.2.7", {}, {})
    # The next act of this thread is of no request.
    assert address_of(record_act("sign_out", by=None)) == ""


def test_acts_of_one_statement_share_no_salt() -> None:
    with from_address("192.0.2.7"):
        record_acts("message.cancelled", by=None, subjects=["message:1", "message:2"], reason="x")
    assert len({row.salt for row in ActAddress.objects.all()}) == 2
    digests = {act.details["address_digest"] for act in Act.objects.all()}
    assert len(digests) == 2


def test_changed_or_removed_address_is_found() -> None:
    with from_address("192.0.2.7"):
        first, second = record_acts("sign_out", by=None, subjects=["", ""])
    seal_all()
    assert found() == []
    ActAddress.objects.filter(pk=first.pk).update(address="", salt="")
    ActAddress.objects.filter(pk=second.pk).delete()
    assert found() == [("personal_removed", first.pk), ("personal_removed", second.pk)]
    ActAddress.objects.create(act=second, at=second.at, address="192.0.2.8", salt="00")
    assert found() == [("personal_removed", first.pk), ("personal_changed", second.pk)]


def test_database_lets_an_address_be_blanked_only() -> None:
    with from_address("192.0.2.7"):
        act = record_act("sign_out", by=None)
    rows = ActAddress.objects.filter(pk=act.pk)
    for change in ({"address": "192.0.2.8"}, {"address": ""}, {"salt": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    assert rows.update(address="", salt="") == 1


def test_erasing_what_is_personal_takes_the_address_and_keeps_the_chain_whole() -> None:
    with from_address("192.0.2.7"):
        with_reason = record_act("reveal", by=None, reason="asked")
        without = record_act("sign_out", by=None)
    assert erase_personal([with_reason.pk, without.pk]) == 2
    assert not ActAddress.objects.exclude(address="", salt="").exists()
    assert erase_personal([with_reason.pk, without.pk]) == 0
    seal_all()
    assert found() == []


def confirm(days: int | None) -> None:
    kind = retention.find("audit_addresses")
    assert kind is not None
    rules.confirm(rules.preview(kind, days).signature, make_staff("manager"))


def test_addresses_go_by_the_confirmed_rule_and_reasons_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forget, "CHUNK", 2)
    now = timezone.now()
    with from_address("192.0.2.7"):
        acts = record_acts("reveal", by=None, subjects=["message:1"] * 3, reason="asked")
        young = record_act("sign_out", by=None)
    seal_all()
    monkeypatch.setattr("providers.clock.now", lambda: now + timedelta(days=30))
    kind = retention.find("audit_addresses")
    assert kind is not None
    assert rules.preview(kind, 10).count == 4
    ActAddress.objects.filter(pk=young.pk).delete()
    fresh = ActAddress(act=young, at=now + timedelta(days=29), address="192.0.2.7", salt="00")
    fresh.save(force_insert=True)
    forget.run_slice()
    assert ActAddress.objects.exclude(address="").count() == 4
    confirm(10)
    forget.run_slice()
    assert [row.pk for row in ActAddress.objects.exclude(address="")] == [young.pk]
    assert {act.why for act in Act.objects.filter(pk__in=[one.pk for one in acts])} == {"asked"}
    # Gone by the rule, so no break; that of the young act has been replaced.
    seal_all()
    assert found() == [("personal_changed", young.pk)]


def test_rule_excuses_only_what_it_has_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    with from_address("192.0.2.7"):
        act = record_act("sign_out", by=None)
    seal_all()
    ActAddress.objects.filter(pk=act.pk).update(address="", salt="")
    confirm(10)
    seal_all()
    assert found() == [("personal_removed", act.pk)]
    confirm(None)
    seal_all()
    now = timezone.now()
    monkeypatch.setattr("providers.clock.now", lambda: now + timedelta(days=30))
    # Nothing has gone by the rule since it was withdrawn.
    assert found() == [("personal_removed", act.pk)]
