"""The page where managers set daily limits."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from providers.daily_limits import Cap, take
from providers.models import DailyLimit
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
    for text in (user.username, "Operator", "1234", "70"):
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
