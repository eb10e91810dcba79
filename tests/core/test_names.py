"""Names that people give hide nothing, whatever they name."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from alerts.admin.forms import ReceiverForm
from core import own_lists
from core.models import OwnList
from core.names import GivenName, given_name, hides_characters
from core.phones.tokens import token_of
from lookup.models import NumberName
from messaging.admin.batch_forms import NewBatchForm
from messaging.models import Template
from providers.admin.account_forms import AccountForm
from tests.factories.staff import make_staff, make_user

HIDING = "Duty\u202e \u200bdesk\u3164\x07\ufeff"
SHOWN = "Duty desk"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (HIDING, SHOWN),
        ("  a \t\n b\u2028c ", "a b c"),
        ("\u200f\u202b\u05e9\u05dc\u05d5\u05dd\u202c", "\u05e9\u05dc\u05d5\u05dd"),
        # A joiner that shapes its letters, and an emoji of three.
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647",
        ),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\u202e\u200b", ""),
    ],
)
def test_name_is_one_line_without_what_shows_nothing(typed: str, name: str) -> None:
    assert given_name(typed) == name
    assert not hides_characters(name)
    assert hides_characters(typed) is (given_name(typed) != " ".join(typed.split()))


@pytest.mark.parametrize("form", [AccountForm, ReceiverForm, NewBatchForm])
def test_names_of_forms_are_cleaned(form: Any) -> None:
    field = form.base_fields["name"]
    assert isinstance(field, GivenName)
    assert field.clean(HIDING) == SHOWN


@pytest.mark.django_db
def test_hidden_characters_do_not_make_a_second_template_or_role(client: Client) -> None:
    client.force_login(make_user(is_superuser=True))
    for name in (SHOWN, HIDING):
        client.post("/messaging/template/add/", {"name": name, "text": "Hello", "in_use": "on"})
        client.post("/auth/group/add/", {"name": name})
    assert list(Template.objects.values_list("name", flat=True)) == [SHOWN]
    assert Group.objects.filter(name__startswith="Duty").values_list("name", flat=True)[0] == SHOWN
    assert Group.objects.filter(name__startswith="Duty").count() == 1


@pytest.mark.django_db
def test_name_of_a_number_hides_nothing(client: Client) -> None:
    client.force_login(make_staff("operator"))
    client.post(f"/number/{token_of('+8613912345678')}/name/", {"name": HIDING})
    assert NumberName.objects.get().name == SHOWN


@pytest.mark.django_db
def test_name_of_a_saved_filter_hides_nothing() -> None:
    own_lists.save_filter(
        make_staff("operator"), "messaging.message", HIDING, "q=x", (), opens=False
    )
    assert OwnList.objects.get().filters[0]["name"] == SHOWN
