"""Coming in, going out, and what each role finds."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.builders import make_staff, make_user

from .conftest import MakeVisitor
from .pages import SignIn

SENT = ["Batches", "Messages"]
RENTED = ["Open orders", "Orders", "Transactions"]
LAST = "Practice providers"
NAVIGATION = {
    "viewer": ["Dashboard", *SENT, "Codes", *RENTED, "Accounts", LAST],
    "operator": [
        "Dashboard",
        "Send SMS",
        *SENT,
        "Send code",
        "Codes",
        "Rent a number",
        *RENTED,
        "Accounts",
        LAST,
    ],
    "manager": [
        "Dashboard",
        "Send SMS",
        *SENT,
        "Send code",
        "Codes",
        "Rent a number",
        *RENTED,
        "Apps and countries",
        "Accounts",
        "API calls",
        "Callbacks",
        "Staff",
        LAST,
    ],
    "auditor": ["Dashboard", *SENT, "Codes", *RENTED, "Accounts", "API calls", "Callbacks", LAST],
}


@pytest.mark.any_database
@pytest.mark.parametrize("role", NAVIGATION)
def test_each_role_signs_in_and_sees_its_own_navigation(
    role: str, make_visitor: MakeVisitor
) -> None:
    staff = make_staff(role)
    inside = SignIn.of(make_visitor()).sign_in(staff.username, "secret")
    expect(inside.title).to_have_text("Dashboard")
    assert inside.navigation == NAVIGATION[role]


@pytest.mark.any_database
def test_the_queue_is_for_superusers(make_visitor: MakeVisitor) -> None:
    chief = make_user(is_superuser=True)
    inside = SignIn.of(make_visitor()).sign_in(chief.username, "secret")
    expect(inside.title).to_have_text("Dashboard")
    assert "Queue" in inside.navigation


@pytest.mark.any_database
def test_a_wrong_password_is_said_in_one_sentence_that_gets_the_focus(
    make_visitor: MakeVisitor,
) -> None:
    staff = make_staff("viewer")
    form = SignIn.of(make_visitor())
    form.sign_in(staff.username, "wrong")
    expect(form.problems).to_contain_text("Username or password is not right.")
    assert form.has_focus(form.problems)
    assert form.page.title().startswith("Error:")
    assert form.page.locator("#id_password").input_value() == ""


@pytest.mark.any_database
def test_an_empty_form_asks_for_both(make_visitor: MakeVisitor) -> None:
    form = SignIn.of(make_visitor())
    form.button.click()
    expect(form.problems).to_contain_text("Enter username and password.")


@pytest.mark.any_database
def test_after_signing_out_the_pages_are_closed(make_visitor: MakeVisitor) -> None:
    visitor = make_visitor("viewer")
    visitor.page.goto("/")
    inside = SignIn(visitor.page)
    inside.sign_out()
    expect(inside.button).to_be_visible()
    visitor.page.goto("/messaging/message/")
    expect(inside.button).to_be_visible()


@pytest.mark.any_database
def test_signing_in_leads_to_the_page_that_was_asked_for(make_visitor: MakeVisitor) -> None:
    staff = make_staff("viewer")
    visitor = make_visitor()
    visitor.page.goto("/messaging/message/")
    inside = SignIn(visitor.page).sign_in(staff.username, "secret")
    expect(inside.title).to_have_text("Messages")


@pytest.mark.any_database
class TestLanguages:
    def test_the_sign_in_page_changes_its_language(self, make_visitor: MakeVisitor) -> None:
        form = SignIn.of(make_visitor())
        assert form.language == "en"
        form.choose_language("zh-hans")
        expect(form.page.locator("html")).to_have_attribute("lang", "zh-hans")
        form.choose_language("en")
        expect(form.page.locator("html")).to_have_attribute("lang", "en")

    def test_the_choice_holds_after_signing_in(self, make_visitor: MakeVisitor) -> None:
        staff = make_staff("viewer")
        form = SignIn.of(make_visitor())
        form.choose_language("zh-hans")
        expect(form.page.locator("html")).to_have_attribute("lang", "zh-hans")
        inside = form.sign_in(staff.username, "secret")
        expect(inside.page.locator(".user-opener")).to_be_visible()
        assert inside.language == "zh-hans"

    def test_inside_the_same_page_comes_back_in_the_other_language(
        self, make_visitor: MakeVisitor
    ) -> None:
        visitor = make_visitor("viewer")
        visitor.page.goto("/messaging/message/?o=-5")
        inside = SignIn(visitor.page)
        inside.choose_language("zh-hans")
        expect(inside.page.locator("html")).to_have_attribute("lang", "zh-hans")
        assert visitor.page.url.endswith("/messaging/message/?o=-5")

    def test_the_browser_s_language_is_taken_at_first(self, make_visitor: MakeVisitor) -> None:
        assert SignIn.of(make_visitor(language="zh-hans")).language == "zh-hans"
