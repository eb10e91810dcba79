"""What a form says about a wrong value, in the portal's words and not in Django's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.utils.translation import override

from messaging.models import Template
from tests.factories.staff import make_user

DJANGO_EN = ("Ensure th", "valid choice", "This field is required", "valid value", "valid username")
DJANGO_ZH = ("确保", "有效的", "必填", "输入一个", "该变量", "这个字段", "此字段")
OUTSIDE = ("django.", "unfold.", "allauth.", "import_export.")


def forms_of(base: type[Any]) -> Iterator[type[Any]]:
    for one in base.__subclasses__():
        if not one.__module__.startswith((*OUTSIDE, "tests.")):
            yield one
        yield from forms_of(one)


def texts_of(field: forms.Field) -> Iterator[str]:
    yield from map(str, field.error_messages.values())
    for validator in field.validators:
        message = getattr(validator, "message", "")
        # A text with a plural needs a number.
        values = dict.fromkeys(("limit_value", "show_value", "max"), 2)
        yield str(message % values if hasattr(message, "_proxy____args") else message)


@pytest.mark.parametrize(("language", "theirs"), [("en", DJANGO_EN), ("zh-hans", DJANGO_ZH)])
def test_no_field_of_a_form_speaks_in_djangos_words(language: str, theirs: tuple[str, ...]) -> None:
    found = list(forms_of(forms.BaseForm))
    fields = [field for form in found for field in getattr(form, "base_fields", {}).values()]
    assert len(found) > 30
    assert len(fields) > 80
    with override(language):
        said = {text for field in fields for text in texts_of(field)}
        assert sorted(text for text in said if any(words in text for words in theirs)) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "long", "taken"),
    [
        (
            "en",
            "This may have at most 64 characters; it has 65. Shorten it.",
            "This is already in use. Enter another.",
        ),
        ("zh-hans", "最多 64 个字符，当前为 65 个，请缩短。", "已被使用，请更换。"),
    ],
)
def test_wrong_name_of_a_template_is_answered_in_plain_words(
    client: Client, language: str, long: str, taken: str
) -> None:
    client.force_login(make_user(is_superuser=True))
    Template.objects.create(name="Taken", text="Hello")
    for name, words in (("x" * 65, long), ("Taken", taken)):
        page = client.post(
            "/messaging/template/add/",
            {"name": name, "text": "Hello"},
            headers={"Accept-Language": language},
        )
        assert words in page.content.decode(), words


@pytest.mark.django_db
def test_wrong_values_of_a_member_of_staff_are_answered_in_plain_words(client: Client) -> None:
    client.force_login(make_user(is_superuser=True, username="taken"))
    values = {"username": "no spaces!", "email": "nowhere", "first_name": "x" * 151}
    page = client.post("/auth/user/add/", values).content.decode()
    assert "A user name may have letters, digits and the characters @ . + - _ only." in page
    assert "Enter an email address, such as name@example.com." in page
    assert "This may have at most 150 characters; it has 151. Shorten it." in page
    page = client.post("/auth/user/add/", {"username": "taken"}).content.decode()
    assert "Another member of staff has this user name." in page
