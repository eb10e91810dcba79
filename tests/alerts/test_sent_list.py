"""The list of sent alerts, and its export."""

from __future__ import annotations

import csv
import io
from itertools import count
from typing import Any

import pytest
from django.urls import reverse

from alerts.models import Delivery
from alerts.texts import HOLD, PAUSED
from core.models import Act
from tests.alerts.world import make_receiver, make_rule
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
_serial = count()


def send(**fields: Any) -> Delivery:
    receiver = fields.pop("receiver", None) or make_receiver()
    values = {
        "receiver_name": receiver.name,
        "kind": "hold",
        "occasion": "alert",
        "lines": [HOLD.store()],
    }
    return Delivery.objects.create(receiver=receiver, **{**values, **fields})


def exported(role: str = "manager", **query: Any) -> list[dict[str, str]]:
    browser = browser_of(member(role, name=f"reader {next(_serial)}"))
    answer: Any = browser.get(reverse("admin:alerts_delivery_export"), {"format": "csv", **query})
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("role", ["manager", "auditor"])
def test_those_who_see_alerts_export_what_was_told_to_whom(role: str) -> None:
    pauses = [PAUSED.store(account=name, reason="x") for name in ("Main", "Other")]
    send(
        receiver=make_receiver(name="Duty"),
        kind="paused",
        occasion="again",
        lines=pauses,
        count=2,
        state="failed",
        error="timeout",
        tries=4,
    )
    (line,) = exported(role)
    assert line["Alert"] == "Still: Account paused (2)"
    assert "Main is paused" in line["Details"]
    assert "Other is paused" in line["Details"]
    assert (line["To"], line["State"], line["Tries"]) == ("Duty", "Failed", "4")
    assert line["Reason"] == "no answer within 25 s"


def test_export_is_an_act_of_the_audit_log() -> None:
    send()
    exported(state="waiting")
    act = Act.objects.get(what="export")
    assert (act.details["rows"], act.details["count"]) == ("alerts.delivery", 1)


def test_no_cell_is_a_formula() -> None:
    send(receiver=make_receiver(name="=HYPERLINK(1)"))
    assert exported()[0]["To"] == "'=HYPERLINK(1)"


def test_filters_of_the_list_are_those_of_its_export() -> None:
    mine = make_receiver()
    send(receiver=mine, state="failed")
    send(state="failed", kind="backup")
    send()
    assert len(exported(state="failed")) == 2
    assert len(exported(kind="backup")) == 1
    assert len(exported(receiver__id__exact=mine.pk)) == 1


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("viewer", 403)])
def test_others_see_neither_the_list_nor_its_export(role: str, status: int) -> None:
    browser = browser_of(member(role))
    for name in ("changelist", "export"):
        assert browser.get(reverse(f"admin:alerts_delivery_{name}")).status_code == status


def test_list_offers_both_formats_and_a_page_for_each_alert() -> None:
    make_rule("hold")
    sent = send(state="unclear", error="interrupted")
    browser = browser_of(member("auditor"))
    listed = str(browser.get(reverse("admin:alerts_delivery_changelist")).content.decode())
    assert "Export CSV" in listed
    assert "Export XLSX" in listed
    assert "Everything is on hold" in listed
    page = str(browser.get(reverse("admin:alerts_delivery_change", args=[sent.public_id])).content)
    assert "interrupted while it was being sent" in page
    assert "Everything on hold" in page


def test_former_address_leads_to_the_list() -> None:
    answer: Any = browser_of(member("auditor")).get(reverse("admin:alerts_log"))
    assert (answer.status_code, answer["Location"]) == (302, "/alerts/delivery/")
