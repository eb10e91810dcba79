"""The page of a message after real HTTP calls to the sandbox."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from messaging.models import Message
from providers.engine.loop import DEADLINES
from providers.models import Account
from sandbox.faults import CATALOGUE
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff
from tests.support.engine import IMPATIENT, run_engine, send

pytestmark = pytest.mark.django_db(transaction=True)

NOT_SPENT = "No charge: the provider did not process the request."
MAYBE = "This may have been charged: it is not known whether the provider processed the request."
REFUSED = "Refused by the provider. Refused requests are not normally charged."
ACCEPTED = "Accepted by the provider, which charges under its own rules."
NO_ANSWER = "No answer after"

FAULTS = {
    ("Outcome unknown", "The provider had an internal error.", MAYBE): (
        "html_500",
        "html_502",
        "html_503",
        "html_504",
    ),
    ("Outcome unknown", "The provider's answer could not be read.", MAYBE): (
        *("html_200", "empty_200", "json_truncated", "json_list", "json_string", "json_null"),
        *("json_number", "json_deep", "json_missing_keys", "json_duplicate_keys", "json_nan"),
        *("bad_utf8", "huge_body", "gzip_bomb", "tls_broken", "endless_headers", "huge_header"),
    ),
    ("Outcome unknown", f"{NO_ANSWER} 2", MAYBE): (
        "slow",
        "never_answers",
        "trickled_headers",
        "trickled_body",
    ),
    ("Outcome unknown", "The connection was lost while the provider", MAYBE): (
        "reset_before",
        "reset_after",
        "closed_after",
    ),
    ("Outcome unknown", "The address of this account redirected to http://127.0.0.1:", MAYBE): (
        "redirect_302",
        "redirect_303",
    ),
    ("Not sent", "The address of this account redirected to http://127.0.0.1:", NOT_SPENT): (
        "redirect_301",
        "redirect_307",
        "redirect_308",
    ),
    ("Waiting", "Too many requests: the provider asked to slow down.", NOT_SPENT): (
        "too_many",
        "too_many_retry_after",
    ),
    ("Accepted, waiting for report", "", ACCEPTED): (
        "odd_text",
        "contradiction",
        "keep_alive_closed",
        "keep_alive_reset",
    ),
}
"""Sandbox faults by the state, text and money line that they lead to."""
CASES = [(fault, *words) for words, faults in FAULTS.items() for fault in faults]


def live_part(client: Client, message: Message, role: str = "operator") -> str:
    client.force_login(make_staff(role))
    answer = client.get(f"/messaging/message/{message.public_id}/live/")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def element(page: str, name: str) -> str:
    """Return the text of the first element with this class, without markup."""
    found = re.search(rf'class="{name}".*?</(?:p|div)>', page, re.DOTALL)
    return re.sub(r"<[^>]*>|\s+", " ", found[0]) if found else ""


def has_result(message: Message) -> bool:
    message.refresh_from_db()
    return bool(message.reason) or message.state == "submitted"


def test_every_sandbox_fault_is_in_the_table() -> None:
    known = {fault.id for fault in CATALOGUE.values() if fault.kind == "answer"}
    assert {fault for fault, *_ in CASES} == known


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "state", "words", "money"), CASES)
def test_page_explains_a_fault_with_its_money_line(
    fault: str, state: str, words: str, money: str, client: Client, sandbox: Sandbox
) -> None:
    message = make_message(make_account("haorui", sandbox))
    sandbox.faults.set(fault, provider="haorui")
    deadlines = IMPATIENT if words.startswith(NO_ANSWER) else DEADLINES
    run_engine(lambda: has_result(message), deadlines=deadlines)
    page = live_part(client, message)
    assert state in element(page, "status-line")
    assert money in element(page, "money-line")
    assert words in element(page, "story")
    assert bool(element(page, "next-step")) == bool(words)
    assert ("A manager can then set the outcome." in page) == (state == "Outcome unknown")
    assert sandbox.book.repeated() == []
    assert sandbox.book.entries(kind="strayed") == []


def test_wrong_password_pauses_the_account_and_shows_the_next_step(
    client: Client, sandbox: Sandbox
) -> None:
    wrong = {"username": "practice", "password": "wrong"}
    account = make_account("otpservice", sandbox, credentials=wrong)
    page = live_part(client, send(make_message(account, kind="provider_code")))
    assert "Refused" in element(page, "status-line")
    assert REFUSED in element(page, "money-line")
    assert "The provider did not accept the credentials." in element(page, "story")
    assert "Ask a manager to put the account in order" in element(page, "next-step")
    account = Account.objects.get(pk=account.pk)
    assert account.is_paused

    client.force_login(make_staff("manager"))
    address = f"/providers/account/{account.public_id}"
    shown = client.get(f"{address}/change/").content.decode()
    assert "Paused since" in shown
    assert re.search(r'href="[^"]*#id_secret_password"', shown)
    client.post(f"{address}/resume/")
    assert not Account.objects.get(pk=account.pk).is_paused


def test_unreachable_provider_is_tried_again(client: Client) -> None:
    message = make_message()
    run_engine(lambda: Message.objects.filter(tries__gte=1, state="queued").exists())
    page = live_part(client, message)
    assert "The provider's server refused the connection." in element(page, "story")
    assert re.search("Tried [12] times; next attempt at", page)
    assert NOT_SPENT in element(page, "money-line")


def test_manager_opens_the_call_of_a_message(client: Client, sandbox: Sandbox) -> None:
    message = send(make_message(make_account("haorui", sandbox)))
    assert "/providers/apicall/" not in live_part(client, message)
    link = re.findall(r'href="(/providers/apicall/[^"]+)"', live_part(client, message, "manager"))
    call = client.get(link[-1]).content.decode()
    assert "Send SMS" in call
    assert "Secrets and codes are always hidden here." in call
    assert "Done" in call
