"""The page where managers set caps."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from core.models import Act
from core.people import person_name
from providers.caps.windows import Window
from providers.daily_limits import Cap, take
from providers.models import DailyLimit
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_dailylimit_changelist")
ADD = reverse("admin:providers_dailylimit_add")


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def test_list_shows_the_usage(browser: Client) -> None:
    assert "the portal default applies" in browser.get(LIST).content.decode()
    user = make_user()
    DailyLimit.objects.create(user=user, what="messages", most=5000)
    DailyLimit.objects.create(group=Group.objects.get(name="operator"), what="codes", most=70)
    take([Cap("messages", "user", str(user.pk), 5000)], 1234)
    page = browser.get(LIST).content.decode()
    for text in (user.username, "Operator", "1,234", "70"):
        assert text in page


def test_limit_is_added_changed_and_deleted(browser: Client) -> None:
    user = make_user()
    browser.post(ADD, {"user": user.pk, "group": "", "what": "messages", "most": 10})
    limit = DailyLimit.objects.get()
    change = reverse("admin:providers_dailylimit_change", args=[limit.pk])
    browser.post(change, {"user": user.pk, "group": "", "what": "messages", "most": 20})
    limit.refresh_from_db()
    assert (limit.user, limit.most) == (user, 20)
    browser.post(reverse("admin:providers_dailylimit_delete", args=[limit.pk]), {"post": "yes"})
    assert not DailyLimit.objects.exists()


@pytest.mark.parametrize(("user", "group"), [(True, True), (False, False)])
def test_limit_belongs_to_either_a_person_or_a_role(
    browser: Client, user: bool, group: bool
) -> None:
    data = {
        "user": make_user().pk if user else "",
        "group": Group.objects.get(name="viewer").pk if group else "",
        "what": "codes",
        "most": 3,
    }
    page = browser.post(ADD, data).content.decode()
    assert "Choose either a staff member or a role." in page
    assert not DailyLimit.objects.exists()


@pytest.mark.parametrize("most", ["-1", "many", "9" * 20, ""])
def test_invalid_number_is_rejected_in_the_form(browser: Client, most: str) -> None:
    data = {"user": make_user().pk, "group": "", "what": "codes", "most": most}
    assert browser.post(ADD, data).status_code == 200
    assert not DailyLimit.objects.exists()


def test_second_limit_for_the_same_person_and_kind_is_rejected(browser: Client) -> None:
    user = make_user()
    DailyLimit.objects.create(user=user, what="codes", most=3)
    data = {"user": user.pk, "group": "", "what": "codes", "most": 4}
    assert browser.post(ADD, data).status_code == 200
    assert DailyLimit.objects.get().most == 3


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_only_managers_see_and_change_limits(client: Client, role: str) -> None:
    limit = DailyLimit.objects.create(user=make_user(), what="codes", most=3)
    client.force_login(make_staff(role))
    for name, args in (("changelist", []), ("add", []), ("change", [limit.pk])):
        url = reverse(f"admin:providers_dailylimit_{name}", args=args)
        assert client.get(url).status_code == 403
    client.post(ADD, {"user": limit.user_id, "group": "", "what": "messages", "most": 10})
    assert DailyLimit.objects.count() == 1


# --- caps of numbers, prefixes, countries and accounts -------------------------------------------


def post(browser: Client, applies_to: str, **fields: object) -> str:
    values = {"applies_to": applies_to, "what": "messages", "window": "day", "most": 10, **fields}
    answer = browser.post(ADD, values)
    return "" if answer.status_code == 302 else answer.content.decode()


@pytest.mark.parametrize(
    ("applies_to", "fields", "scope", "key"),
    [
        ("number", {"number": "139 1234 5678"}, "number", "+8613912345678"),
        ("each_number", {}, "number", "*"),
        ("prefix", {"starts_with": "+86 139"}, "prefix", "+86139"),
        ("prefix", {"starts_with": "＋８６ 139"}, "prefix", "+86139"),
        ("prefix", {"starts_with": "+44 (0)20"}, "prefix", "+4420"),
        ("each_range", {}, "prefix", "*"),
        ("country", {"country": "ID", "most": 0}, "country", "ID"),
        ("each_country", {"what": "all", "most": 0}, "country", "*"),
        ("each_person", {"most": 5, "window": "hour"}, "user", "*"),
    ],
)
def test_cap_is_set_for_each_kind_of_subject(
    browser: Client, applies_to: str, fields: dict[str, object], scope: str, key: str
) -> None:
    assert post(browser, applies_to, **fields) == ""
    cap = DailyLimit.objects.get()
    assert (cap.scope, cap.key, cap.user, cap.group) == (scope, key, None, None)
    assert cap.set_by is not None
    assert cap.set_at is not None
    change = browser.get(reverse("admin:providers_dailylimit_change", args=[cap.pk]))
    assert change.status_code == 200
    assert "12345678" not in browser.get(LIST).content.decode()
    assert "There is such a cap already." in post(browser, applies_to, **fields)
    assert DailyLimit.objects.count() == 1


@pytest.mark.parametrize(
    ("applies_to", "fields", "text"),
    [
        ("number", {"number": "12"}, "field-problem"),
        ("prefix", {"starts_with": "139"}, "Enter + and the country code"),
        ("prefix", {"starts_with": "+860139"}, "No phone number begins with +860139."),
        ("prefix", {"starts_with": "+999"}, "No phone number begins with +999."),
        (
            "prefix",
            {"starts_with": "+8613912345678"},
            "Enter a complete number as one phone number.",
        ),
        ("country", {}, "Enter what the cap applies to."),
        ("each_number", {"what": "orders"}, "Rented numbers have caps per person"),
        ("each_person", {"what": "all"}, "Set a cap for each kind"),
        ("each_number", {"what": "codes", "window": "minute"}, "is fixed and cannot be changed"),
    ],
)
def test_cap_that_makes_no_sense_is_refused_beside_its_field(
    browser: Client, applies_to: str, fields: dict[str, object], text: str
) -> None:
    page = post(browser, applies_to, **fields)
    assert text.replace("field-problem", "digits") in page
    assert not DailyLimit.objects.exists()


def test_list_shows_what_is_used_and_who_set_it(browser: Client) -> None:
    account = make_account(name="Main account")
    assert post(browser, "account", account=account.pk, window="hour") == ""
    take([Cap("messages", "account", str(account.pk), 9, Window.HOUR)], 7)
    page = browser.get(LIST).content.decode()
    row = page[page.index("Main account") :]
    assert ">7<" in row.replace(" ", "").replace("\n", "")
    assert person_name(User.objects.get(groups__name="manager")) in row


def test_page_shows_the_defaults_until_a_row_replaces_them(
    browser: Client, settings: Settings
) -> None:
    settings.CODES_PER_NUMBER = 4321
    assert "4,321" in browser.get(LIST).content.decode()
    DailyLimit.objects.create(scope="number", key="*", what="codes", most=3)
    assert "4,321" not in browser.get(LIST).content.decode()


def test_effect_is_shown_before_a_cap_is_set(browser: Client) -> None:
    for number in ("13912345601", "13912345602", "13912345602", "13912345603"):
        make_message(recipient=f"+86{number}")
    page = post(browser, "each_number", most=1)
    assert "1 phone number would be over this cap now." in page
    assert not DailyLimit.objects.exists()
    token = re.search(r'name="confirmed" value="(\w+)"', page)
    assert token is not None
    # What was confirmed is this cap, not a smaller one.
    assert "3 phone numbers" in post(browser, "each_number", most=0, confirmed=token[1])
    assert post(browser, "each_number", most=1, confirmed=token[1]) == ""


def test_export_masks_numbers(browser: Client) -> None:
    DailyLimit.objects.create(scope="number", key="+8613912345678", what="codes", most=3)
    url = reverse("admin:providers_dailylimit_export")
    answer = browser.get(url, {"format": "csv"})
    content = b"".join(answer) if answer.streaming else answer.content
    assert b"12345678" not in content


def test_caps_deleted_together_are_recorded_one_by_one(browser: Client) -> None:
    caps = [
        DailyLimit.objects.create(scope="country", key=key, what="codes", most=3)
        for key in ("ID", "VN")
    ]
    action = {"action": "delete_selected", "_selected_action": [cap.pk for cap in caps]}
    browser.post(LIST, {**action, "post": "yes"})
    assert Act.objects.filter(what="cap.change").count() == 2 - DailyLimit.objects.count()
    assert not DailyLimit.objects.exists()
