"""A template in the form "Send SMS": its text, its variables, and "Send to many"."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from messaging.models import Batch, Message, Template, TemplateUse
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.staff import make_staff

from .test_send_page import form_data, html

pytestmark = pytest.mark.django_db
URL = "/messaging/message/send/"


@pytest.fixture
def manager(client: Client) -> User:
    user = make_staff("manager")
    client.force_login(user)
    return user


@pytest.fixture
def template() -> Template:
    return Template.objects.create(name="Parcel", text="Dear {Name}, parcel {no} is here.")


@pytest.fixture
def account() -> Account:
    return make_account()


def with_template(account: Account, template: Template, *values: str, **changes: Any) -> Any:
    named = {"value_name": ["Name", "no"][: len(values)]}
    typed = {f"value_{index}": value for index, value in enumerate(values)}
    usual = {"template": template.public_id, "text": template.text}
    return form_data(account, **{**usual, **named, **typed, **changes})


def test_picked_template_fills_the_text_and_asks_its_variables(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    form = form_data(account, template=template.public_id, use_template="1", text="typed")
    answer = client.post(URL, form)
    shown = answer.context["form"]
    assert shown["text"].value() == template.text
    assert [name for name, _ in shown.variable_fields] == ["Name", "no"]
    assert shown["recipient"].value() == "139 1234 5678"
    assert not Message.objects.exists()


def test_values_stay_when_another_template_is_picked(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    other = Template.objects.create(name="Other", text="{no}! {Name}?")
    form = with_template(account, other, "Li", "7", use_template="1", text=template.text)
    shown = client.post(URL, form).context["form"]
    assert [field.value() for _, field in shown.variable_fields] == ["7", "Li"]


def test_text_of_a_template_goes_when_none_is_chosen(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    form = form_data(account, template="", use_template="1", text=template.text)
    assert client.post(URL, form).context["form"]["text"].value() == ""
    form = form_data(account, template="", use_template="1", text="own words")
    assert client.post(URL, form).context["form"]["text"].value() == "own words"


def test_message_has_the_values_in_their_places(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    assert client.post(URL, with_template(account, template, "Li", "7")).status_code == 302
    assert Message.objects.get().text == "Dear Li, parcel 7 is here."
    use = TemplateUse.objects.get()
    assert (use.template, use.user) == (template, manager)


def test_missing_value_is_asked_for_beside_its_field(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    answer = client.post(URL, with_template(account, template, "Li", " "))
    assert set(answer.context["form"].errors) == {"value_1"}
    assert not Message.objects.exists()
    assert not TemplateUse.objects.exists()


def test_word_for_no_value_is_refused(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    answer = client.post(URL, with_template(account, template, "Li", "NULL"))
    assert set(answer.context["form"].errors) == {"value_1"}
    assert not Message.objects.exists()


def test_value_is_never_used_for_another_variable(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    """The text was changed after its variables had been asked."""
    form = with_template(account, template, "Li", "7", text="Dear {Friend}, parcel {no}.")
    answer = client.post(URL, form)
    shown = answer.context["form"]
    assert [field.value() for _, field in shown.variable_fields] == ["", "7"]
    assert set(shown.errors) == {"value_0"}
    assert not Message.objects.exists()


def test_filled_text_is_checked_again(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    long = "字" * 400
    form = with_template(account, template, long, "7", text="{Name}{Name} {no}")
    answer = client.post(URL, form)
    assert set(answer.context["form"].errors) == {"text"}
    assert not Message.objects.exists()


def test_braces_without_a_template_are_sent_as_typed(
    client: Client, manager: User, account: Account
) -> None:
    client.post(URL, form_data(account, text="Use {this}."))
    assert Message.objects.get().text == "Use {this}."


def test_template_that_is_not_in_use_is_refused(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    Template.objects.create(name="Other", text="other")
    Template.objects.filter(pk=template.pk).update(in_use=False)
    answer = client.post(URL, with_template(account, template, "Li", "7"))
    assert "template" in answer.context["form"].errors


def test_preview_shows_the_filled_text(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    answer = client.post(f"{URL}preview/", with_template(account, template, "Li", ""))
    assert "Dear Li, parcel {no} is here." in html(answer)


def test_send_to_many_keeps_what_was_typed(
    client: Client, manager: User, account: Account, template: Template
) -> None:
    form = form_data(
        account, template=template.public_id, text="Typed {Name}", sms_kind="M", change_account="1"
    )
    answer = client.post("/messaging/batch/new/", form)
    shown = answer.context["form"]
    values = {name: shown[name].value() for name in ("template", "text", "sms_kind", "pasted")}
    assert values == {
        "template": template.public_id,
        "text": "Typed {Name}",
        "sms_kind": "M",
        "pasted": "139 1234 5678",
    }
    assert shown.sending_account == account
    assert shown["form_token"].value() != form["form_token"]
    assert not Batch.objects.exists()


def test_send_to_many_needs_the_right_to_send_batches(client: Client, account: Account) -> None:
    client.force_login(make_staff("operator"))
    assert "Send to many" not in html(client.get(URL))
    client.force_login(make_staff("manager"))
    assert "Send to many" in html(client.get(URL))
