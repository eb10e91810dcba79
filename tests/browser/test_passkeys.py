"""Passkeys, with an authenticator that the browser itself acts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import CDPSession, expect
from pytest_django import Settings

from tests.factories.staff import make_staff

from .conftest import MakeVisitor
from .pages import SignIn
from .visitor import Visitor

pytestmark = [pytest.mark.any_database, pytest.mark.slow]
Key = Callable[..., CDPSession]


@pytest.fixture
def add_key() -> Iterator[Key]:
    """Gives the browser of a visitor an authenticator that verifies its user."""
    added: list[tuple[CDPSession, str]] = []

    def add(visitor: Visitor, *, verifies: bool = True) -> CDPSession:
        session = visitor.context.new_cdp_session(visitor.page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": True,
        }
        made: Any = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        added.append((session, made["authenticatorId"]))
        return session

    yield add
    for session, key in added:
        session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})
        session.detach()


def set_up(visitor: Visitor) -> None:
    visitor.page.goto("/my-security/passkeys/")
    visitor.page.get_by_label("Name of the passkey").fill("My laptop")
    visitor.page.get_by_role("button", name="Add a passkey").click()
    expect(visitor.page.get_by_text("They are shown only once.")).to_be_visible()


def test_passkey_signs_in_alone_and_as_the_second_step(
    make_visitor: MakeVisitor, add_key: Key, settings: Settings
) -> None:
    settings.SECOND_FACTOR_ROLES = ["manager"]
    manager = make_staff("manager")
    visitor = make_visitor(manager)
    page = visitor.page
    add_key(visitor)
    page.goto("/messaging/message/")
    expect(page.get_by_text("Your role requires a second factor.")).to_be_visible()
    set_up(visitor)
    page.get_by_role("link", name="I have saved them").click()
    expect(page.get_by_text("My laptop")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    expect(page).to_have_url(f"{visitor.address}/messaging/message/")
    visitor.lose_session()
    page.goto("/messaging/message/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{visitor.address}/messaging/message/")
    visitor.lose_session()
    SignIn.of(visitor).sign_in(manager.username, "secret")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{visitor.address}/")


def test_page_says_why_a_passkey_was_not_used(make_visitor: MakeVisitor, add_key: Key) -> None:
    visitor = make_visitor()
    add_key(visitor, verifies=False)
    page = visitor.page
    page.goto("/")
    problem = page.locator("[data-passkey-problem]")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(problem).to_contain_text("No passkey was used")
    page.evaluate("delete window.PublicKeyCredential")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(problem).to_contain_text("This browser cannot use passkeys.")


def test_key_that_was_removed_signs_nobody_in(make_visitor: MakeVisitor, add_key: Key) -> None:
    visitor = make_visitor("viewer")
    add_key(visitor)
    set_up(visitor)
    Authenticator.objects.all().delete()
    visitor.lose_session()
    visitor.page.goto("/")
    visitor.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(visitor.page.get_by_text("The portal does not know this passkey.")).to_be_visible()
