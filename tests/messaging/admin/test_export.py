"""Export of the list of messages as CSV and XLSX: content, masking, log."""

from __future__ import annotations

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from openpyxl import load_workbook

from core.admin.history import log_text
from messaging.models import Message
from messaging.presentation.explanations import title_of
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
EXPORT = "/messaging/message/export/"


def export_text(client: Client, **query: str) -> str:
    answer = client.get(EXPORT, query)
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_export_holds_the_filtered_messages(client: Client) -> None:
    make_message(state="delivered", text="Here.")
    make_message(text="Waiting.")
    client.force_login(make_staff("manager"))
    text = export_text(client, shown="delivered")
    assert "Here." in text
    assert "+8613912345678" in text
    assert "Waiting." not in text


def test_export_states_the_reason_in_the_words_of_the_page(client: Client) -> None:
    make_message(state="refused", reason="no_balance")
    client.force_login(make_staff("manager"))
    text = export_text(client)
    assert "no_balance" not in text
    assert title_of(Message.objects.get()) in text


def test_export_masks_numbers_and_texts_without_the_reveal_permission(client: Client) -> None:
    make_message(text="Secret.")
    client.force_login(make_staff("auditor"))
    text = export_text(client)
    assert "Secret." not in text
    assert "13912345678" not in text
    assert "+86 139 •••• 5678" in text


def test_formula_in_a_text_is_exported_as_text(client: Client) -> None:
    make_message(text="=HYPERLINK(1)")
    client.force_login(make_staff("manager"))
    answer = client.get(EXPORT, {"format": "xlsx"})
    data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    assert "'=HYPERLINK(1)" in [cell.value for cell in sheet[2]]


def test_export_is_logged_with_its_filters(client: Client) -> None:
    client.force_login(make_staff("manager"))
    export_text(client, shown="unknown")
    assert log_text(LogEntry.objects.get()) == ("Exported as CSV with these filters: shown=unknown")


def test_export_requires_its_permission(client: Client) -> None:
    client.force_login(make_user("messaging.view_message"))
    assert client.get(EXPORT).status_code == 403
    assert "export/?" not in client.get("/messaging/message/").content.decode()
