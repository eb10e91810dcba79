"""One form for a member of staff: the person, roles in words, folded permissions, an invitation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from core.models import Act, Notice
from smsportal.models import Preferences
from smsportal.people.role_cards import AREAS
from tests.factories.approvals import make_limited
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

ADD = "/auth/user/add/"
PASSWORD = "long-and-odd-9"


@pytest.fixture
def browser() -> Client:
    return browser_of(member("manager", name="boss"))


def newcomer(**fields: Any) -> dict[str, Any]:
    return {
        "username": "wei",
        "first_name": "Wei",
        "last_name": "Chen",
        "email": "wei@example.com",
        **fields,
    }


def html_of(answer: Any) -> str:
    content: str = answer.content.decode()
    return content


# --- adding ------------------------------------------------------------------------------


def test_one_form_adds_the_person_with_role_language_and_zone(browser: Client) -> None:
    operator = Group.objects.get(name="operator")
    fields = newcomer(groups=[operator.pk], language="zh-hans", time_zone="Asia/Jakarta")
    answer = browser.post(ADD, fields)
    person = User.objects.get(username="wei")
    assert (person.get_full_name(), person.email) == ("Wei Chen", "wei@example.com")
    assert list(person.groups.all()) == [operator]
    chosen = Preferences.objects.get(pk=person.pk)
    assert (chosen.language, chosen.time_zone) == ("zh-hans", "Asia/Jakarta")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


def test_invitation_link_works_once_and_opens_in_the_language_of_the_person(
    browser: Client,
) -> None:
    operator = Group.objects.get(name="operator")
    answer = browser.post(ADD, newcomer(groups=[operator.pk], language="zh-hans"))
    found = re.search(r"/set-password/[^<\"]+", html_of(answer))
    assert found is not None
    visitor = Client()
    form = visitor.get(found[0], follow=True)
    page = form.request["PATH_INFO"]
    visitor.post(page, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    signed_in = visitor.post("/login/", {"username": "wei", "password": PASSWORD})
    assert signed_in.cookies["django_language"].value == "zh-hans"
    assert "new_password1" not in html_of(Client().get(found[0], follow=True))
    acts = Act.objects.filter(subject=f"user:{User.objects.get(username='wei').pk}")
    assert {"staff.add", "staff.link"} <= set(acts.values_list("what", flat=True))


def test_person_without_a_role_is_said_to_see_nothing(browser: Client) -> None:
    assert "no role yet" in html_of(browser.post(ADD, newcomer()))


def test_nothing_that_was_typed_is_lost_when_the_form_is_refused(browser: Client) -> None:
    operator = Group.objects.get(name="operator")
    html = html_of(browser.post(ADD, newcomer(username="boss", groups=[operator.pk])))
    assert 'value="Chen"' in html
    assert re.search(rf'value="{operator.pk}"[^>]* checked', html)
    assert not User.objects.filter(first_name="Wei").exists()


def test_manager_adds_no_manager(browser: Client) -> None:
    manager = Group.objects.get(name="manager")
    assert "set-password" not in html_of(browser.post(ADD, newcomer(groups=[manager.pk])))
    assert not User.objects.filter(username="wei").exists()


def test_manager_adds_no_peer_by_single_permissions(browser: Client) -> None:
    ours = Permission.objects.filter(group__name="manager").values_list("pk", flat=True)
    browser.post(ADD, newcomer(user_permissions=list(ours)))
    assert not User.objects.filter(username="wei").exists()


# --- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Wei", "Chen"),
        ("wei", "CHEN"),
        ("boss", ""),
        ("We\u200bi", "Chen"),
        ("Wei Chen", ""),
        ("Ｗei", " chen"),
    ],
)
def test_nobody_gets_the_name_of_somebody_else(browser: Client, first: str, last: str) -> None:
    member("operator", name="first")
    User.objects.filter(username="first").update(first_name="Wei", last_name="Chen")
    answer = browser.post(ADD, newcomer(username="second", first_name=first, last_name=last))
    assert "set-password" not in html_of(answer)
    assert not User.objects.filter(username="second").exists()


def test_roles_of_people_who_already_share_a_name_are_still_edited(browser: Client) -> None:
    for name in ("first", "second"):
        User.objects.filter(pk=member("viewer", name=name).pk).update(first_name="Wei")
    person = User.objects.get(username="second")
    page = reverse("admin:auth_user_change", args=[person.pk])
    operator = Group.objects.get(name="operator")
    fields = {"username": "second", "first_name": "Wei", "is_active": "on"}
    assert browser.post(page, {**fields, "groups": [operator.pk]}).status_code == 302
    assert list(person.groups.all()) == [operator]


def test_username_that_a_colleague_is_called_by_needs_a_name(browser: Client) -> None:
    member("operator", name="first")
    User.objects.filter(username="first").update(first_name="Mei")
    browser.post(ADD, {"username": "mei"})
    assert not User.objects.filter(username="mei").exists()
    browser.post(ADD, newcomer(username="mei"))
    assert User.objects.filter(username="mei").exists()


def test_people_rename_themselves_but_take_no_colleagues_name() -> None:
    person = member("operator", name="mei")
    User.objects.filter(username="boss").update(first_name="Wei", last_name="Chen")
    member("manager", name="chief")
    User.objects.filter(username="chief").update(first_name="Wei", last_name="Chen")
    mine = browser_of(person)
    fields = {"first_name": "Mei", "last_name": "Lin", "email": "", "language": "en"}
    assert mine.post(reverse("admin:my_settings"), fields).status_code == 302
    person.refresh_from_db()
    assert person.get_full_name() == "Mei Lin"
    act = Act.objects.get(what="staff.profile")
    assert (act.by, act.details["fields"]) == (person, ["first_name", "last_name"])
    fields |= {"first_name": "Wei", "last_name": "Chen"}
    assert "has this name" in html_of(mine.post(reverse("admin:my_settings"), fields))
    person.refresh_from_db()
    assert person.get_full_name() == "Mei Lin"


# --- cards and folds ---------------------------------------------------------------------------


def test_form_says_what_each_role_does_and_folds_permissions_by_area(browser: Client) -> None:
    html = html_of(browser.get(ADD))
    assert "Sends single SMS and codes" in html
    assert html.count('<details class="fold"') == len(AREAS)
    assert '<details class="fold" open' not in html
    send = Permission.objects.get(codename="send_message")
    operator = Group.objects.get(name="operator")
    (box,) = re.findall(rf'<input[^>]*value="{send.pk}"[^>]*data-roles="([^"]*)"', html)
    assert str(operator.pk) in box.split()


def test_area_with_a_ticked_permission_is_open(browser: Client) -> None:
    other = member("viewer", name="other")
    other.user_permissions.add(Permission.objects.get(codename="send_code"))
    html = html_of(browser.get(reverse("admin:auth_user_change", args=[other.pk])))
    assert html.count('<details class="fold" open') == 1
    assert "1 of 5 added" in html


def test_closing_the_second_approver_tells_managers_at_once(browser: Client) -> None:
    make_limited(messages=2)
    manager = User.objects.get(username="boss")
    person = make_user("providers.approve")
    page = reverse("admin:auth_user_change", args=[person.pk])
    assert browser.post(page, {"username": person.username}).status_code == 302
    act = Act.objects.get(what="approval_limit.off")
    assert act.by == manager
    assert Notice.objects.filter(user=manager, event=f"approval_limits:{act.pk}").exists()


def test_role_that_no_longer_approves_tells_managers_at_once() -> None:
    make_limited(messages=2)
    member("manager", name="boss")
    superuser = make_user()
    User.objects.filter(pk=superuser.pk).update(is_superuser=True)
    superuser.refresh_from_db()
    role = Group.objects.get(name="manager")
    page = reverse("admin:auth_group_change", args=[role.pk])
    values = {"name": role.name, "permissions": []}
    assert browser_of(superuser).post(page, values).status_code == 302
    assert Act.objects.get(what="approval_limit.off").by == superuser
