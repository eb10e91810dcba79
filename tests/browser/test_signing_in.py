"""Signing in and changing the language, as far as this needs a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.factories.staff import make_staff

from .conftest import MakeVisitor
from .pages import SignIn


@pytest.mark.any_database
def test_wrong_password_message_gets_the_focus(
    make_visitor: MakeVisitor,
) -> None:
    staff = make_staff("viewer")
    form = SignIn.of(make_visitor())
    form.sign_in(staff.username, "wrong")
    expect(form.problems).to_contain_text("The username or password is incorrect.")
    assert form.has_focus(form.problems)
    assert form.page.title().startswith("Error:")
    assert form.page.locator("#id_password").input_value() == ""


@pytest.mark.any_database
class TestLanguages:
    def test_changing_the_language_stays_on_the_page(self, make_visitor: MakeVisitor) -> None:
        visitor = make_visitor("viewer")
        visitor.page.goto("/messaging/message/?o=-5")
        inside = SignIn(visitor.page)
        inside.choose_language("zh-hans")
        expect(inside.page.locator("html")).to_have_attribute("lang", "zh-hans")
        assert visitor.page.url.endswith("/messaging/message/?o=-5")
