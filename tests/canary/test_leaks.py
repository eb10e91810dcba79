"""No planted value appears where it does not belong."""

from __future__ import annotations

import re

import pytest
import requests

from messaging.models import Message
from providers import accounts
from sandbox.server import Sandbox
from tests.canary import journey
from tests.canary.echo import Echo
from tests.canary.person import Person
from tests.canary.planted import (
    CODES,
    ECHO_MODES,
    SECRETS,
    STAFF_PASSWORD,
    TIMEOUT,
    WRONG_PASSWORD,
    forbidden_values,
    passwords,
    tokens,
)
from tests.canary.portals import InProcessPortal, Portal
from tests.canary.search import columns_with_texts, compact_database, leaks, leaks_at_rest
from tests.factories.accounts import NOWHERE, make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.wait_until import wait_until

SANDBOX_PAGES = "/practice/"
"""Shows everybody what arrived on the sandbox's phones, texts and codes included."""


def page_leaks(people: dict[str, Person]) -> list[str]:
    found = []
    addresses = tokens()
    for role, person in people.items():
        sees_everything = role in ("manager", "chief")
        for path, content in person.pages.items():
            wanted = passwords()
            if not path.startswith(SANDBOX_PAGES):
                wanted |= set(CODES)
            # A manager and a superuser may see callback addresses.
            if not (sees_everything and "/providers/account/" in path):
                wanted |= addresses
            found += leaks(wanted, f"{role} {path}", content)
    return found


def unmasked(person: Person) -> list[str]:
    """Pages that show a text or a full number, except those of the sandbox."""
    numbers = set(Message.objects.values_list("recipient", flat=True))
    found = []
    for path, content in person.pages.items():
        if path.startswith(SANDBOX_PAGES):
            continue
        digits = re.sub(r"(?<=\d)[ \u00a0-](?=\d)", "", content)
        whole = [number for number in numbers if number[3:] in digits]
        if whole or "CANARYTEXT" in content:
            found.append(f"{path} {whole[:1]}")
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "modes", [ECHO_MODES[:2], pytest.param(ECHO_MODES, marks=pytest.mark.long)], ids=len
)
def test_no_secret_appears_anywhere(
    modes: tuple[str, ...],
    portal: Portal,
    people: dict[str, Person],
    sandbox: Sandbox,
    echo: Echo,
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
) -> None:
    compact_database()
    people["viewer"].sign_in(WRONG_PASSWORD)
    for person in people.values():
        person.sign_in()
    manager, operator = people["manager"], people["operator"]
    # A second database adds its own errors and tables. The pages are the same.
    is_first = not pytestconfig.getoption("--second-database")

    journey.make_accounts(manager, sandbox, echo)
    journey.check_every_account(manager)
    journey.send_everything(operator, sandbox, echo, modes)
    journey.settle_and_reveal(manager)
    journey.push_callbacks(portal, manager)
    journey.add_staff_and_change_passwords(people["chief"])
    journey.spoil_stored_secret(manager, operator)
    if isinstance(portal, InProcessPortal):
        journey.fail_inside_portal(manager, operator, monkeypatch)
    assert echo.calls > len(modes)
    assert set(Message.objects.values_list("state", flat=True)) >= {"submitted", "unknown"}
    command_lines = portal.command_lines()
    if isinstance(portal, InProcessPortal):
        # Real processes make the same pages, so one crawl is enough. It needs no engine.
        portal.stop()
    if isinstance(portal, InProcessPortal) and is_first:
        visited = {role: person.crawl() for role, person in people.items()}
        assert min(visited.values()) > 10, visited
    at_rest = leaks_at_rest(portal.folder)
    portal.stop()

    assert at_rest == []
    assert leaks(forbidden_values(), "log", portal.log()) == []
    assert "CANARYTEXT" not in portal.log()
    assert leaks(forbidden_values(), "command line", command_lines) == []
    assert page_leaks(people) == []
    assert unmasked(people["viewer"]) == []
    assert unmasked(people["auditor"]) == []
    assert columns_with_texts() == {"messaging_message.text"}


@pytest.mark.parametrize("portal", ["in_process"], indirect=True)
def test_refused_callback_leaves_no_token_in_the_log(portal: Portal) -> None:
    account = accounts.create_account(
        name="one", provider="haorui", base_url=NOWHERE, credentials=SECRETS["haorui"]
    )
    for token in account.callback_tokens.all():
        address = f"{portal.address}/callbacks/{token.value.reveal()}/elsewhere/"
        requests.post(address, timeout=TIMEOUT)
    assert leaks(tokens(), "log", portal.log()) == []


@pytest.mark.parametrize("portal", ["in_process"], indirect=True)
def test_sandbox_page_shows_texts_and_no_callback_address(portal: Portal, sandbox: Sandbox) -> None:
    make_message(make_account("haorui", sandbox, credentials=SECRETS["haorui"]))
    wait_until(journey.all_settled)
    reader = make_user("providers.view_account")
    reader.set_password(STAFF_PASSWORD)
    reader.save()
    person = Person(portal, reader.username).sign_in()
    page = person.open(SANDBOX_PAGES).text
    person.leave()
    assert "your parcel is here" in page.lower()
    assert leaks(tokens(), "sandbox page", page) == []
