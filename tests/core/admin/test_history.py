"""The history page of an object: its log entries, in the reader's language."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from core.admin.actions import REVEALED
from core.admin.reasons import REVEAL_REASONS
from core.stored_texts import as_value
from messaging.models import Template
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
CHINESE = {"accept-language": "zh-hans"}


@pytest.fixture
def manager() -> Client:
    client = Client()
    client.force_login(make_staff("manager"))
    return client


def history(client: Client, obj: Model, public_id: str, chinese: bool = False) -> str:
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_history"
    answer = client.get(reverse(name, args=[public_id]), headers=CHINESE if chinese else {})
    assert answer.status_code == 200
    return str(answer.content.decode())


def log(obj: Model, message: str, flag: int = CHANGE) -> None:
    LogEntry.objects.create(
        user=make_user(first_name="Wei"),
        content_type=ContentType.objects.get_for_model(obj),
        object_id=str(obj.pk),
        object_repr="one",
        action_flag=flag,
        change_message=message,
    )


def test_history_shows_texts_in_the_readers_language(manager: Client) -> None:
    message = make_message()
    preset = REVEAL_REASONS["complaint"].store()
    log(message, REVEALED.store(reason=as_value(preset)))
    log(message, REVEALED.store(reason="<b>rang</b>"))
    page = history(manager, message, message.public_id)
    assert "Revealed: Complaint" in page
    assert "Revealed: &lt;b&gt;rang&lt;/b&gt;" in page
    assert "Wei" in page
    page = history(manager, message, message.public_id, chinese=True)
    assert "显示明文：投诉" in page
    assert "Revealed" not in page
    assert "Complaint" not in page


def test_texts_of_other_versions_and_of_django_are_shown(manager: Client) -> None:
    message = make_message()
    log(message, "Handed to Wei")
    log(message, '{"key": "of.a.later.version", "reason": "x"}')
    log(message, json.dumps([{"changed": {"fields": ["Text"]}}]))
    log(message, json.dumps([{"added": {}}]), ADDITION)
    log(message, "", DELETION)
    page = history(manager, message, message.public_id)
    for text in ("Handed to Wei", "of.a.later.version", "Changed Text.", "Added.", "Deletion"):
        assert text in page


def test_object_without_entries_says_so(manager: Client) -> None:
    message = make_message()
    log(make_message(), "Handed to Wei")
    assert "The log contains nothing about this." in history(manager, message, message.public_id)


def test_history_needs_the_permission_to_view(client: Client) -> None:
    message = make_message()
    address = reverse("admin:messaging_message_history", args=[message.public_id])
    client.force_login(make_user())
    assert client.get(address).status_code == 403
    client.force_login(make_staff("manager"))
    assert client.get(address.replace(message.public_id, str(message.pk))).status_code == 404
    assert client.get(address.replace(message.public_id, "%00")).status_code == 404


def test_saved_form_is_logged_with_the_names_of_its_fields(manager: Client) -> None:
    manager.post(
        reverse("admin:messaging_template_add"),
        {"name": "parcel", "text": "Your parcel.", "in_use": "on"},
        headers=CHINESE,
    )
    template = Template.objects.get()
    change = reverse("admin:messaging_template_change", args=[template.public_id])
    manager.post(change, {"name": "parcel 2", "text": "Your parcel.", "in_use": ""})
    added, changed = [json.loads(entry.change_message) for entry in LogEntry.objects.order_by("pk")]
    assert added == {"key": "added"}
    assert changed["fields"] == {"names_of": "messaging.template", "names": ["name", "in_use"]}
    assert "Changed: Name, Available" in history(manager, template, template.public_id)
    page = history(manager, template, template.public_id, chinese=True)
    assert "修改：名称、" in page
    assert "Changed" not in page


def test_long_history_has_pages(manager: Client) -> None:
    message = make_message()
    for number in range(101):
        log(message, f"entry {number}.")
    page = history(manager, message, message.public_id)
    assert "entry 0." in page
    assert "entry 100." not in page
    assert 'href="?p=2"' in page
