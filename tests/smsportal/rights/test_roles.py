"""The default roles and their permissions."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User

from smsportal.rights.roles import ROLES, fill_roles, permission_label, role_label
from tests.support.signed_in import member

pytestmark = pytest.mark.django_db


def fill_all_roles() -> None:
    for config in apps.get_app_configs():
        fill_roles(sender=config, using="default", apps=apps)


def permissions_of(role: str) -> set[str]:
    rows = Group.objects.get(name=role).permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_new_portal_has_the_four_roles() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)
    assert permissions_of("viewer") == {
        "messaging.view_batch",
        "messaging.view_donotsend",
        "messaging.view_message",
        "messaging.view_template",
        "otp.view_session",
        "providers.view_account",
        "providers.view_balancereading",
        "rentals.view_finding",
        "rentals.view_order",
        "rentals.view_transaction",
    }


def test_each_role_has_exactly_its_listed_permissions() -> None:
    for role, names in ROLES.items():
        assert permissions_of(role) == set(names)


def test_only_managers_change_staff_and_no_role_deletes() -> None:
    for role, names in ROLES.items():
        assert ("auth.change_user" in names) == (role == "manager")
        assert not [name for name in names if "delete" in name or "group" in name]


def test_filling_roles_again_creates_no_duplicates() -> None:
    before = Group.objects.count(), Permission.objects.count()
    fill_all_roles()
    fill_all_roles()
    assert (Group.objects.count(), Permission.objects.count()) == before


def test_missing_permission_is_restored_and_an_added_one_kept() -> None:
    viewer = Group.objects.get(name="viewer")
    extra = Permission.objects.get(codename="view_apicall")
    viewer.permissions.set([extra])
    fill_all_roles()
    assert permissions_of("viewer") == {*ROLES["viewer"], "providers.view_apicall"}


def test_other_groups_and_single_permissions_do_not_change() -> None:
    own = Group.objects.create(name="night shift")
    user = member("viewer")
    user.user_permissions.add(Permission.objects.get(codename="send_message"))
    fill_all_roles()
    assert not own.permissions.exists()
    assert User.objects.get(pk=user.pk).has_perm("messaging.send_message")


def test_app_without_listed_permissions_runs_no_queries(
    django_assert_num_queries: object,
) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        fill_roles(sender=apps.get_app_config("sessions"), using="default", apps=apps)


def test_roles_and_permissions_have_labels() -> None:
    assert role_label("viewer") == "Viewer"
    assert role_label("night shift") == "night shift"
    send = Permission.objects.get(codename="send_message")
    view = Permission.objects.get(codename="view_apicall")
    assert permission_label(send) == "Send SMS"
    assert permission_label(view) == "View: API calls"
