"""The page that sets how much each role may start without a second person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from core.models import Act
from providers.models import ApprovalLimit
from tests.factories.approvals import make_approvers
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:approval_limits")


@pytest.fixture
def manager() -> User:
    return make_staff("manager")


@pytest.fixture
def browser(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def save(browser: Client, name: str, **typed: str) -> str:
    values = {f"{role(name).pk}-{field}": text for field, text in typed.items()}
    return words(browser.post(PAGE, values, follow=True))


def words(answer: Any) -> str:
    return " ".join(strip_tags(answer.content.decode()).split())


def test_limits_are_set_changed_and_lifted_and_each_is_an_act(browser: Client) -> None:
    make_approvers()
    assert "Limits saved." in save(browser, "operator", messages="500", orders="5", cost="50.00")
    limit = ApprovalLimit.objects.get()
    assert (limit.messages, limit.orders, limit.cost) == (500, 5, Decimal(50))
    save(browser, "operator", messages="600", orders="5", cost="50")
    act = Act.objects.filter(what="approval_limit.change").latest("pk")
    assert act.subject == f"role:{role('operator').pk}"
    assert (act.details["before"]["messages"], act.details["after"]["messages"]) == ("500", "600")
    save(browser, "operator")
    assert not ApprovalLimit.objects.exists()
    count = Act.objects.filter(what="approval_limit.change").count()
    assert "Limits saved." not in save(browser, "operator")
    assert Act.objects.filter(what="approval_limit.change").count() == count == 3


def test_limits_cannot_be_switched_on_before_two_people_can_approve(
    browser: Client, manager: User
) -> None:
    page = save(browser, "operator", messages="500")
    assert "Nothing was saved." in page
    assert f"only {manager.username} has the permission" in page
    assert not ApprovalLimit.objects.exists()
    make_user("providers.approve")
    assert "Limits saved." in save(browser, "operator", messages="500")


def test_limits_that_went_off_are_said_on_the_dashboard_and_can_be_lifted(
    browser: Client,
) -> None:
    ApprovalLimit.objects.create(group=role("operator"), messages=500)
    home = words(browser.get(reverse("admin:index")))
    assert "Approval limits are set but do not apply" in home
    assert "Limits saved." in save(browser, "operator")
    make_approvers()
    ApprovalLimit.objects.create(group=role("operator"), messages=500)
    home = words(browser.get(reverse("admin:index")))
    assert "Approval limits are set" not in home


def test_nobody_sets_a_limit_of_a_role_that_they_hold_or_that_may_do_more(
    browser: Client,
) -> None:
    make_approvers()
    save(browser, "manager", messages="5")
    powerful = Group.objects.create(name="powerful")
    powerful.permissions.set(role("auditor").permissions.all())
    save(browser, "powerful", messages="5")
    assert not ApprovalLimit.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"messages": "many"}, "Enter a number without decimals"),
        ({"messages": "-1"}, "Enter a number without decimals"),
        ({"orders": "99999999999999999999"}, "Enter a number without decimals"),
        ({"cost": "1.23456"}, "Enter an amount such as 50"),
        ({"cost": "Infinity"}, "Enter an amount such as 50"),
    ],
)
def test_what_is_no_limit_is_said_beside_the_field_and_stays(
    browser: Client, typed: dict[str, str], said: str
) -> None:
    make_approvers()
    values = {f"{role('operator').pk}-{field}": text for field, text in typed.items()}
    page = browser.post(PAGE, values).content.decode()
    assert said in page
    assert f'value="{next(iter(typed.values()))}"' in page
    assert not ApprovalLimit.objects.exists()


def test_auditor_reads_and_does_not_set() -> None:
    make_approvers()
    client = Client()
    client.force_login(make_staff("auditor"))
    assert client.get(PAGE).status_code == 200
    assert client.post(PAGE, {}).status_code == 403
