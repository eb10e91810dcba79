"""Which roles require a second factor: set on a page, after a look at whom it concerns."""

from __future__ import annotations

import re

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from core.models import Act
from smsportal.models import FactorRule
from tests.support.second_factor import member_with_app
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
PAGE = "/staff/second-factors/"


def key(role: str) -> str:
    return str(Group.objects.get(name=role).pk)


def send(client: Client, *roles: str, confirm: bool = True) -> str:
    fields: dict[str, object] = {"role": [key(role) for role in roles]}
    if confirm:
        fields["confirm"] = "1"
    answer = client.post(PAGE, fields)
    return re.sub(r"\s+", " ", answer.content.decode())


def required() -> set[str]:
    return set(FactorRule.objects.values_list("group__name", flat=True))


def test_rule_of_a_role_holds_from_the_next_click(settings: LazySettings) -> None:
    operator = browser_of(member("operator"))
    viewer = browser_of(member("viewer"))
    send(browser_of(member("manager")), "operator")
    assert operator.get("/").headers["Location"].startswith(reverse("mfa_index"))
    assert viewer.get("/").status_code == 200


def test_rule_holds_where_the_setting_names_no_role(settings: LazySettings) -> None:
    settings.SECOND_FACTOR_ROLES = []
    operator = browser_of(member("operator"))
    send(browser_of(member("manager")), "operator")
    assert operator.get("/").headers["Location"].startswith(reverse("mfa_index"))


def test_change_is_previewed_before_it_is_saved() -> None:
    member("operator", name="without-factor")
    member_with_app("operator")
    member("viewer", name="bystander")
    page = send(browser_of(member("manager")), "operator", confirm=False)
    assert required() == set()
    assert re.search(r"Must set one up[^<]*</dt><dd>without-factor</dd>", page)
    assert re.search(r"Have one[^<]*</dt><dd>operator</dd>", page)
    assert "bystander" not in page


def test_preview_leaves_out_who_needs_a_factor_anyway(settings: LazySettings) -> None:
    settings.SECOND_FACTOR_ROLES = ["viewer"]
    member("operator", "viewer", name="has-both")
    page = send(browser_of(member("manager")), "operator", confirm=False)
    assert "has-both" not in page


def test_dropped_rule_shows_who_needs_none_any_longer() -> None:
    member("operator", name="freed")
    manager = browser_of(member("manager"))
    send(manager, "operator")
    assert re.search(r"Need none any longer</dt><dd>freed</dd>", send(manager, confirm=False))
    send(manager)
    assert required() == set()


def test_each_change_is_an_act() -> None:
    user = member("manager")
    manager = browser_of(user)
    send(manager, "operator", "viewer")
    send(manager, "viewer")
    found = [(act.what, act.subject, act.by) for act in Act.objects.order_by("pk")]
    assert found == [
        ("role.require_factor", f"role:{key('viewer')}", user),
        ("role.require_factor", f"role:{key('operator')}", user),
        ("role.drop_factor", f"role:{key('operator')}", user),
    ]


def test_role_of_the_setting_stays_required(settings: LazySettings) -> None:
    settings.SECOND_FACTOR_ROLES = ["operator"]
    manager = browser_of(member("manager"))
    assert "required by the settings" in manager.get(PAGE).content.decode()
    send(manager)
    send(manager, "operator")
    assert not Act.objects.exists()
    assert browser_of(member("operator")).get("/").status_code == 302


def test_own_role_and_those_above_are_out_of_reach() -> None:
    send(browser_of(member("manager")), "manager", "auditor")
    assert required() == set()


def test_others_do_not_see_the_page() -> None:
    for role in ("viewer", "operator", "auditor"):
        client = browser_of(member(role))
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, {"role": key("viewer"), "confirm": "1"}).status_code == 403
    assert required() == set()
