"""The form of a template: size, variables, sample, and where it leads."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from messaging.models import Template
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def html(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def size(browser: Client, text: str) -> str:
    return html(browser.post(reverse("admin:messaging_template_size"), {"text": text}))


def test_form_shows_the_size_of_its_text(browser: Client) -> None:
    template = Template.objects.create(name="t", text="字" * 71)
    page = browser.get(reverse("admin:messaging_template_change", args=[template.public_id]))
    assert "2 segments" in html(page)
    assert "1 segment ·" in size(browser, "plain")


def test_variables_are_named_and_stand_in_a_sample(browser: Client) -> None:
    shown = size(browser, "Dear {Name}, {NAME}: {no}")
    assert shown.count('class="chip"') == 2
    assert "Dear Name, Name: no" in shown


def test_replacements_are_offered_where_they_save_a_segment(browser: Client) -> None:
    assert "data-replacements" in size(browser, "It’s " + "long " * 20)
    assert "data-replacements" not in size(browser, "It’s 😀 " + "long " * 20)
    assert "data-replacements" not in size(browser, "It’s short")


def test_saved_template_leads_to_the_list(browser: Client) -> None:
    form = {"name": "New", "text": "Dear {Name}", "in_use": "on"}
    answer = browser.post(reverse("admin:messaging_template_add"), form)
    assert answer["Location"] == reverse("admin:messaging_template_changelist")
    assert Template.objects.get().text == "Dear {Name}"


def test_viewer_may_not_read_sizes_by_get(browser: Client) -> None:
    assert browser.get(reverse("admin:messaging_template_size")).status_code == 404


def test_template_with_a_lone_brace_is_saved_with_a_warning_of_what_it_sends(
    browser: Client,
) -> None:
    words = "“{Name, welcome” has a brace without its other half."
    form = {"name": "New", "text": "Hello {Name, welcome", "in_use": "on"}
    answer = browser.post(reverse("admin:messaging_template_add"), form, follow=True)
    assert words in html(answer)
    assert Template.objects.get().text == "Hello {Name, welcome"
    assert words in size(browser, form["text"])
    assert "other half" not in size(browser, "Hello {Name}")
