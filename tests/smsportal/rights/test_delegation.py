"""Staff cannot grant or take over permissions that they lack."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse, reverse_lazy

from smsportal.rights.delegation import grantable_permissions, grantable_roles, grantors, may_edit
from smsportal.rights.roles import ROLES
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> User:
    return member("manager")


@pytest.fixture
def browser(manager: User) -> Client:
    return browser_of(manager)


def page_of(user: User) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def form(user: User, **changes: Any) -> dict[str, Any]:
    return {
        "username": user.username,
        "is_active": "on",
        "groups": list(user.groups.values_list("pk", flat=True)),
        **changes,
    }


def test_manager_adds_staff_without_a_password(browser: Client) -> None:
    response = browser.post(reverse("admin:auth_user_add"), {"username": "newcomer"})
    newcomer = User.objects.get(username="newcomer")
    assert response.status_code == 200
    assert newcomer.is_staff
    assert not newcomer.is_superuser
    assert not newcomer.has_usable_password()


def test_manager_grants_a_role_and_deactivates_a_user(browser: Client) -> None:
    other = member("viewer")
    operator = Group.objects.get(name="operator")
    browser.post(page_of(other), form(other, groups=[operator.pk]))
    assert list(other.groups.all()) == [operator]
    fields = form(other)
    del fields["is_active"]
    browser.post(page_of(other), fields)
    other.refresh_from_db()
    assert not other.is_active


def test_manager_cannot_set_superuser_or_staff_flags(browser: Client) -> None:
    other = member("viewer")
    browser.post(page_of(other), form(other, is_superuser="on", is_staff=""))
    other.refresh_from_db()
    assert not other.is_superuser
    assert other.is_staff


def test_manager_cannot_grant_a_role_with_permissions_they_lack(
    browser: Client,
) -> None:
    strong = Group.objects.create(name="strong")
    strong.permissions.add(Permission.objects.get(codename="delete_user"))
    other = member("viewer")
    response = browser.post(page_of(other), form(other, groups=[strong.pk]))
    assert response.status_code == 200
    assert not other.groups.filter(name="strong").exists()


def test_manager_cannot_grant_a_permission_they_lack(browser: Client) -> None:
    other = member("viewer")
    strong = Permission.objects.get(codename="delete_user")
    response = browser.post(page_of(other), form(other, user_permissions=[strong.pk]))
    assert response.status_code == 200
    assert not other.user_permissions.exists()


def test_manager_cannot_change_their_own_permissions(browser: Client, manager: User) -> None:
    permission = Permission.objects.get(codename="view_apicall")
    fields = form(manager, is_superuser="on", groups=[], user_permissions=[permission.pk])
    del fields["is_active"]
    browser.post(page_of(manager), fields)
    manager.refresh_from_db()
    assert manager.is_active
    assert not manager.is_superuser
    assert manager.groups.count() == 1
    assert not manager.user_permissions.exists()


@pytest.mark.parametrize("is_active", [True, False])
def test_manager_cannot_edit_a_superuser_or_their_password(
    browser: Client, is_active: bool
) -> None:
    boss = member(name="boss", superuser=True)
    User.objects.filter(pk=boss.pk).update(is_active=is_active)
    for page in (page_of(boss), reverse("admin:auth_user_password_change", args=[boss.pk])):
        assert browser.post(page, form(boss)).status_code == 403
    boss.refresh_from_db()
    assert boss.check_password("right")
    assert boss.is_superuser


@pytest.mark.parametrize("is_active", [True, False])
def test_manager_cannot_take_over_a_user_with_more_permissions(
    browser: Client, is_active: bool
) -> None:
    strong = member("viewer", name="strong")
    strong.user_permissions.add(Permission.objects.get(codename="delete_user"))
    User.objects.filter(pk=strong.pk).update(is_active=is_active)
    page = reverse("admin:auth_user_password_change", args=[strong.pk])
    assert browser.post(page).status_code == 403
    assert browser.post(page_of(strong), form(strong)).status_code == 403


def test_superuser_cannot_delete_staff() -> None:
    other = member("viewer")
    boss = browser_of(member(name="boss", superuser=True))
    page = reverse("admin:auth_user_delete", args=[other.pk])
    assert boss.post(page, {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    boss.post(reverse("admin:auth_user_changelist"), data)
    assert User.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_other_roles_cannot_see_staff(role: str) -> None:
    browser = browser_of(member(role))
    assert browser.get(reverse("admin:auth_user_changelist")).status_code == 403


@pytest.mark.parametrize(
    "model",
    [
        "auth_group",
        "django_q_ormq",
        "django_q_schedule",
        "django_q_failure",
        "django_q_success",
        "axes_accessattempt",
        "axes_accesslog",
        "axes_accessfailurelog",
    ],
)
def test_roles_queue_and_logs_require_a_superuser(browser: Client, model: str) -> None:
    page = reverse(f"admin:{model}_changelist")
    assert browser.get(page).status_code == 403
    boss = browser_of(member(name="boss", superuser=True))
    assert boss.get(page).status_code == 200


AUDIT_LOG = reverse_lazy("admin:audit_entry_changelist")


def test_auditor_opens_the_audit_log_from_the_sidebar() -> None:
    auditor = browser_of(member("auditor"))
    assert f'href="{AUDIT_LOG}"' in auditor.get(reverse("admin:index")).content.decode()
    assert auditor.get(AUDIT_LOG).status_code == 200
    entry = LogEntry.objects.first()
    assert entry is not None
    page = reverse("admin:auditlog_logentry_change", args=[entry.pk])
    assert auditor.get(page).status_code == 200
    assert auditor.post(page, {"changes": "none"}).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_others_have_no_audit_log(role: str) -> None:
    other = browser_of(member(role))
    assert other.get(AUDIT_LOG).status_code == 403
    assert f'href="{AUDIT_LOG}"' not in other.get(reverse("admin:index")).content.decode()


def test_role_form_offers_the_audit_log() -> None:
    boss = browser_of(member(name="boss", superuser=True))
    auditor = Group.objects.get(name="auditor")
    page = boss.get(reverse("admin:auth_group_change", args=[auditor.pk])).content.decode()
    assert "View the audit log" in page


def test_refusal_names_the_people_who_can_grant_the_permission() -> None:
    member("manager", name="mei")
    member(name="root", superuser=True)
    operator = browser_of(member("operator"))
    calls = operator.get(reverse("admin:providers_apicall_changelist")).content.decode()
    assert "These people can grant it: mei, root." in calls
    audit = operator.get(AUDIT_LOG).content.decode()
    assert "“View the audit log”" in audit
    assert "These people can grant it: root." in audit


def test_refusal_names_no_one_who_is_inactive_or_may_not_change_staff() -> None:
    User.objects.filter(pk=member("manager", name="gone").pk).update(is_active=False)
    member("auditor", name="ada")
    operator = browser_of(member("operator"))
    page = operator.get(reverse("admin:providers_apicall_changelist")).content.decode()
    assert "An administrator can grant it." in page
    assert "These people" not in page


def test_refusal_of_a_page_for_superusers_promises_no_permission() -> None:
    member("manager", name="mei")
    operator = browser_of(member("operator"))
    page = operator.get(reverse("admin:django_q_ormq_changelist")).content.decode()
    assert "Only administrators can open it. No permission gives access to it." in page
    assert "mei" not in page


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_named_people_really_can_grant_what_is_missing(role: str) -> None:
    manager = member("manager")
    other = member(role)
    granted = grantable_permissions(manager) | Permission.objects.filter(
        group__in=grantable_roles(manager)
    )
    offered = {f"{each.content_type.app_label}.{each.codename}" for each in granted}
    for name in set(ROLES["manager"]) - set(ROLES[role]):
        # Only the role of managers gives those about staff, and no manager makes another one.
        may_grant = not name.startswith("auth.")
        assert grantors(name) == ([manager] if may_grant else []), name
        assert (name in offered) is may_grant
    assert may_edit(manager, other) is (role != "auditor")


def test_superuser_cannot_add_a_schedule() -> None:
    boss = browser_of(member(name="boss", superuser=True))
    response = boss.post(reverse("admin:django_q_schedule_add"), {"func": "os.system"})
    assert response.status_code == 403


def test_change_log_contains_no_password() -> None:
    user = member("viewer")
    user.set_password("another-one-7")
    user.first_name = "Mei"
    user.save()
    changes = LogEntry.objects.filter(object_pk=str(user.pk)).values_list("changes", flat=True)
    assert changes
    assert not [entry for entry in changes if "password" in entry or "last_login" in entry]
