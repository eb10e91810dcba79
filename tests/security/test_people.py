"""Nobody acts as a peer: rights, one-time links and daily limits."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from audit.addresses import facts_of
from core.models import Act
from providers.models import CapExemption, DailyLimit
from smsportal.log.filters import hide_tokens
from smsportal.rights.roles import ROLES
from smsportal.sign_in.password_links import tokens
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

PASSWORD: Final = "long-and-odd-9"
BOTH: Final = {"new_password1": PASSWORD, "new_password2": PASSWORD}
PEOPLE: Final = ("nobody", "viewer", "operator", "manager", "auditor", "superuser")
BELOW: Final = {
    "manager": {"nobody", "viewer", "operator"},
    "superuser": {"nobody", "viewer", "operator", "manager", "auditor"},
}
"""On whom each role may act. All other roles may not act on anybody."""


def person(role: str, name: str) -> User:
    if role == "superuser":
        return member(name=name, superuser=True)
    return member(*([] if role == "nobody" else [role]), name=name)


def page_of(user: User, page: str = "change") -> str:
    return reverse(f"admin:auth_user_{page}", args=[user.pk])


def link_by(actor: User, target: User) -> str:
    """The path of a one-time link, or an empty string."""
    answer = browser_of(actor).post(page_of(target, "password_change"))
    found = re.search(r"/set-password/[^<\"]+", answer.content.decode())
    return found[0] if found else ""


def form(user: User, **changes: Any) -> dict[str, Any]:
    groups = list(user.groups.values_list("pk", flat=True))
    return {"username": user.username, "is_active": "on", "groups": groups, **changes}


# --- who may act on whom --------------------------------------------------------------------


@pytest.mark.parametrize("target", PEOPLE)
@pytest.mark.parametrize("actor", ["viewer", "operator", "auditor", "manager", "superuser"])
def test_link_is_made_only_for_people_below(actor: str, target: str) -> None:
    made = link_by(person(actor, "actor"), person(target, "target"))
    assert bool(made) is (target in BELOW.get(actor, set()))
    assert Act.objects.filter(what="staff.link").exists() is bool(made)


@pytest.mark.parametrize("target", PEOPLE)
def test_manager_edits_only_people_below(target: str) -> None:
    other = person(target, "other")
    answer = browser_of(person("manager", "actor")).post(
        page_of(other), form(other, email="a@b.cd")
    )
    assert answer.status_code == (302 if target in BELOW["manager"] else 403)


@pytest.mark.parametrize("actor", ["manager", "superuser"])
def test_nobody_makes_a_link_for_themselves(actor: str) -> None:
    person_ = person(actor, "actor")
    assert not link_by(person_, person_)


def test_manager_makes_no_manager() -> None:
    other = member("operator", name="other")
    browser = browser_of(member("manager", name="actor"))
    roles = Group.objects.filter(name__in=["manager", "auditor"])
    for role in roles:
        assert browser.post(page_of(other), form(other, groups=[role.pk])).status_code == 200
    assert [group.name for group in other.groups.all()] == ["operator"]


def test_manager_makes_no_peer_by_single_permissions() -> None:
    actor = member("manager", name="actor")
    twin = Group.objects.create(name="staff part")
    about_staff = Permission.objects.filter(content_type__app_label="auth", group__name="manager")
    twin.permissions.set(about_staff)
    other = member(name="other")
    ours = Permission.objects.filter(group__name="manager")
    rest = ours.exclude(pk__in=about_staff.values("pk"))
    browser = browser_of(actor)
    all_of_ours = form(other, groups=[twin.pk], user_permissions=[one.pk for one in rest])
    answer = browser.post(page_of(other), all_of_ours)
    assert "not all of them" in answer.content.decode()
    assert not other.groups.exists()
    all_but_one = {**all_of_ours, "user_permissions": [one.pk for one in rest][1:]}
    assert browser.post(page_of(other), all_but_one).status_code == 302


def test_change_of_rights_is_recorded() -> None:
    other, actor = member("viewer", name="other"), member("manager", name="actor")
    operator = Group.objects.get(name="operator")
    browser_of(actor).post(page_of(other), form(other, groups=[operator.pk]))
    act = Act.objects.get(what="staff.change")
    assert (act.by, act.subject) == (actor, f"user:{other.pk}")
    assert act.details["roles"] == ["operator"]
    assert act.details["fields"] == ["groups"]
    assert act.details["permissions"] == len(set(ROLES["operator"]))


def test_change_of_a_role_is_recorded() -> None:
    boss = member(name="boss", superuser=True)
    role = Group.objects.get(name="viewer")
    permission = Permission.objects.get(codename="view_message")
    url = reverse("admin:auth_group_change", args=[role.pk])
    browser_of(boss).post(url, {"name": "viewer", "permissions": [permission.pk]})
    act = Act.objects.get(what="role.change")
    assert (act.by, act.subject) == (boss, f"role:{role.pk}")
    assert facts_of(act) == {"fields": ["permissions"], "permissions": ["view_message"]}


def test_change_of_the_own_password_is_recorded() -> None:
    user = member("viewer")
    browser = browser_of(user)
    url = reverse("admin:password_change")
    browser.post(url, {"old_password": "wrong", **BOTH})
    assert not Act.objects.exists()
    browser.post(url, {"old_password": "right", **BOTH})
    act = Act.objects.get()
    assert (act.what, act.by, act.subject) == ("staff.password", user, f"user:{user.pk}")


# --- the link -------------------------------------------------------------------------------


def open_link(browser: Client, link: str) -> str:
    """The address of the form, to which the link leads."""
    answer = browser.get(link)
    return str(answer["Location"]) if answer.status_code == 302 else ""


def test_link_sets_the_password_once() -> None:
    other, actor = member("operator", name="other"), member("manager", name="actor")
    link = link_by(actor, other)
    other.refresh_from_db()
    assert other.check_password("right")
    stranger = Client()
    form_page = open_link(stranger, link)
    assert tokens.make_token(other) not in form_page
    page = stranger.get(form_page).content.decode()
    assert "Choose a password" in page
    answer = stranger.post(form_page, BOTH)
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:login"))
    other.refresh_from_db()
    assert other.check_password(PASSWORD)
    act = Act.objects.get(what="staff.password_by_link")
    assert (act.by, act.subject) == (other, f"user:{other.pk}")
    assert not open_link(Client(), link)
    assert "has been used or has expired" in Client().get(link).content.decode()


def test_link_ends_the_sessions_of_the_person() -> None:
    other, actor = member("operator", name="other"), member("manager", name="actor")
    browser = browser_of(other)
    stranger = Client()
    stranger.post(open_link(stranger, link_by(actor, other)), BOTH)
    assert browser.get(reverse("admin:index")).status_code == 302


def test_link_keeps_the_rules_of_passwords() -> None:
    other, actor = member("operator", name="other"), member("manager", name="actor")
    stranger = Client()
    form_page = open_link(stranger, link_by(actor, other))
    assert (
        stranger.post(form_page, {"new_password1": "1234", "new_password2": "1234"}).status_code
        == 200
    )
    other.refresh_from_db()
    assert other.check_password("right")


@pytest.mark.parametrize("change", ["role", "permission", "superuser", "closed", "signed in"])
def test_link_ends_when_the_person_changes(change: str) -> None:
    other, actor = member("operator", name="other"), member("manager", name="actor")
    link = link_by(actor, other)
    if change == "role":
        other.groups.add(Group.objects.get(name="manager"))
    elif change == "permission":
        other.user_permissions.add(Permission.objects.get(codename="bulk_message"))
    else:
        values: dict[str, dict[str, Any]] = {
            "superuser": {"is_superuser": True},
            "closed": {"is_active": False},
            "signed in": {"last_login": timezone.now()},
        }
        User.objects.filter(pk=other.pk).update(**values[change])
    assert not open_link(Client(), link)


def test_link_ends_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 3600
    link = link_by(member("manager", name="actor"), member("operator", name="other"))
    later = tokens._now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(type(tokens), "_now", lambda self: later)
    assert not open_link(Client(), link)


def test_page_of_the_link_is_not_stored_and_logs_hide_it() -> None:
    other = member("operator", name="other")
    browser = browser_of(member("manager", name="actor"))
    answer = browser.post(page_of(other, "password_change"))
    assert "no-store" in answer["Cache-Control"]
    assert hide_tokens("GET /set-password/Mg/abc-def/ 200") == "GET /set-password/Mg/[hidden]/ 200"
    assert not [act for act in Act.objects.all() if "set-password" in str(act.details)]


# --- daily limits -----------------------------------------------------------------------------


def set_limit(actor: User, **target: int) -> bool:
    fields = {"user": "", "group": "", "what": "messages", "most": 9_000_000, **target}
    browser_of(actor).post(reverse("admin:providers_dailylimit_add"), fields)
    return DailyLimit.objects.exists()


@pytest.mark.parametrize("target", PEOPLE)
@pytest.mark.parametrize("actor", ["manager", "superuser"])
def test_limit_of_a_person_is_set_by_someone_above(actor: str, target: str) -> None:
    other = person(target, "other")
    is_set = set_limit(person(actor, "actor"), user=other.pk)
    assert is_set is (target in BELOW[actor] or actor == "superuser")


@pytest.mark.parametrize("actor", ["manager", "superuser"])
def test_nobody_sets_their_own_limit(actor: str) -> None:
    one = person(actor, "actor")
    assert not set_limit(one, user=one.pk)


@pytest.mark.parametrize(
    ("role", "allowed"), [("viewer", True), ("operator", True), ("manager", False)]
)
def test_manager_sets_no_limit_of_a_role_they_hold(role: str, allowed: bool) -> None:
    actor = member("manager", name="actor")
    assert set_limit(actor, group=Group.objects.get(name=role).pk) is allowed


def test_superuser_sets_no_limit_of_a_role_they_hold() -> None:
    actor = member("operator", name="actor", superuser=True)
    assert not set_limit(actor, group=Group.objects.get(name="operator").pk)
    assert set_limit(actor, group=Group.objects.get(name="manager").pk)


@pytest.mark.parametrize("of", ["person", "role"])
def test_nobody_changes_or_deletes_their_own_limit(of: str) -> None:
    actor = member("manager", name="actor")
    target = {"user": actor} if of == "person" else {"group": actor.groups.get()}
    limit = DailyLimit.objects.create(what="messages", most=5, **target)
    browser = browser_of(actor)
    other = {"user": member("operator", name="other").pk, "group": "", "what": "messages"}
    for page, fields in (("change", {**other, "most": 9}), ("delete", {"post": "yes"})):
        url = reverse(f"admin:providers_dailylimit_{page}", args=[limit.pk])
        assert browser.post(url, fields).status_code == 403
    assert DailyLimit.objects.get().most == 5


def test_limit_is_not_moved_to_oneself() -> None:
    actor, other = member("manager", name="actor"), member("operator", name="other")
    limit = DailyLimit.objects.create(user=other, what="messages", most=900)
    url = reverse("admin:providers_dailylimit_change", args=[limit.pk])
    fields = {"user": actor.pk, "group": "", "what": "messages", "most": 900}
    assert browser_of(actor).post(url, fields).status_code == 200
    limit.refresh_from_db()
    assert limit.user == other


def test_limits_are_recorded() -> None:
    actor, other = member("manager", name="actor"), member("operator", name="other")
    assert set_limit(actor, user=other.pk)
    url = reverse("admin:providers_dailylimit_delete", args=[DailyLimit.objects.get().pk])
    browser_of(actor).post(url, {"post": "yes"})
    acts = list(Act.objects.filter(what="cap.change").order_by("pk"))
    assert {act.subject for act in acts} == {f"user:{other.pk}"}
    of_both = {"what_is_limited": "messages", "window": "day", "scope": "", "key": ""}
    assert [facts_of(act) for act in acts] == [
        {**of_both, "most": 9_000_000, "before": None},
        {**of_both, "most": None, "before": 9_000_000},
    ]


# --- caps of everyone, and exemptions -----------------------------------------------------------


def set_cap_of_each(actor: User, most: int) -> bool:
    fields = {"applies_to": "each_person", "what": "messages", "window": "day", "most": most}
    browser_of(actor).post(reverse("admin:providers_dailylimit_add"), fields)
    return DailyLimit.objects.filter(scope="user").exists()


def test_manager_only_lowers_the_cap_of_each_person(settings: Settings) -> None:
    settings.DAILY_LIMITS = {"messages": 100, "codes": 9, "orders": 9}
    actor = member("manager", name="actor")
    assert not set_cap_of_each(actor, 101)
    assert set_cap_of_each(actor, 99)
    row = DailyLimit.objects.get()
    url = reverse("admin:providers_dailylimit_delete", args=[row.pk])
    # Without the row, the default of 100 would apply to the manager again.
    assert browser_of(actor).post(url, {"post": "yes"}).status_code == 403
    DailyLimit.objects.create(user=actor, what="messages", most=50)
    assert browser_of(actor).post(url, {"post": "yes"}).status_code == 302


@pytest.mark.parametrize("target", ["actor", "manager", "operator"])
def test_only_people_below_are_exempted(target: str) -> None:
    actor = member("manager", name="actor")
    other = actor if target == "actor" else member(target, name="other")
    day = f"{timezone.localdate():%Y-%m-%d}"
    fields = {"scope": "user", "user": other.pk, "because": "campaign day", "last_day": day}
    browser_of(actor).post(reverse("admin:providers_capexemption_exempt"), fields)
    assert CapExemption.objects.exists() is (target == "operator")
    assert Act.objects.filter(what="cap.exempt").exists() is (target == "operator")
