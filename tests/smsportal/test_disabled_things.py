"""What is disabled says why in words, and a page names who can help with what it withholds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from messaging.models import Message
from otp.models import SentCode
from providers.models import Account, CallbackTest
from tests.factories.accounts import make_account
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user
from tests.support.every_page import every_address
from tests.support.every_row import fill
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db
TAG: Final = re.compile(r'<(\w+)((?:\s+[\w:@.-]+(?:="[^"]*")?)*)\s*/?>')
FILE_NAME: Final = 'aria-label="Choose file to upload"'
"""The theme shows the name of the chosen file in a field that is none."""
MOST_OF_A_KIND: Final = 2
VALUE: Final = re.compile(r'="[^"]*"')
REASON: Final = re.compile(r" – \S")


def disabled_things(page: str) -> Iterator[tuple[str, str]]:
    """The tag and the reason of each disabled part; the reason is empty if the page gives none."""
    for found in TAG.finditer(page):
        tag, attributes = found.groups()
        names = VALUE.sub("", attributes).split()
        if FILE_NAME in attributes:
            continue
        if "disabled" not in names and 'aria-disabled="true"' not in attributes:
            continue
        if tag == "option":
            words = page[found.end() : page.index("<", found.end())]
            yield tag, words if REASON.search(words) else ""
            continue
        described = re.search(r'aria-describedby="([^"]+)"', attributes)
        ids = described[1].split() if described else []
        yield tag, " ".join(text_of(page, one) for one in ids)


def text_of(page: str, element: str) -> str:
    found = re.search(rf'<(\w+)[^>]*\bid="{re.escape(element)}"[^>]*>(.*?)</\1>', page, re.S)
    return re.sub(r"<[^>]+>|\s+", " ", found[2]).strip() if found else ""


def test_disabled_parts_without_a_reason_are_found() -> None:
    page = (
        "<option disabled>Main</option><option disabled>Main – paused</option>"
        '<button aria-disabled="true" aria-describedby="why">A</button><p id="why"> </p>'
        '<button disabled aria-describedby="gone">B</button>'
        '<input aria-disabled="true" aria-describedby="how"><p id="how">It is on hold.</p>'
        '<button hx-disabled-elt="this" class="disabled:pale">C</button>'
    )
    assert list(disabled_things(page)) == [
        ("option", ""),
        ("option", "Main – paused"),
        ("button", ""),
        ("button", ""),
        ("input", "It is on hold."),
    ]


@pytest.mark.long
def test_every_disabled_thing_says_why() -> None:
    fill()
    paused = Account.objects.filter(paused_at__isnull=False)[0]
    chief = make_user(is_superuser=True, username="chief")
    sender = make_account("haorui")
    CallbackTest.objects.create(account=sender, asked_at=timezone.now())
    session = make_sent_session(sender)
    SentCode.objects.filter(session=session).update(made_at=timezone.now())
    browser = browser_of(chief)
    by_name: dict[str, list[str]] = defaultdict(list)
    for name, address in every_address():
        by_name[name].append(address)
    addresses = [address for found in by_name.values() for address in found[-MOST_OF_A_KIND:]]
    addresses += [
        f"/messaging/message/send/?account={paused.public_id}",
        f"/otp/session/send/?account={paused.public_id}",
        f"/otp/session/{session.public_id}/change/",
        "/my-lists/messaging.message/",
    ]
    silent: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for address in addresses:
        answer = browser.get(address)
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        for tag, reason in disabled_things(answer.content.decode()):
            seen[tag] += 1
            if not reason:
                silent[address] = tag
    assert silent == {}
    assert min(seen["option"], seen["button"], seen["input"]) > 0, seen


def withheld(client: Client, message: Message) -> str:
    page = client.get(f"/messaging/message/{message.public_id}/change/").content.decode()
    found = re.search(r'<details class="technical withheld">(.*?)</details>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>", "", found[1]).split()) if found else ""


def test_page_names_who_can_grant_what_it_withholds(client: Client) -> None:
    boss = make_user(username="ann", first_name="Ann", last_name="Lee")
    boss.groups.add(Group.objects.get(name="manager"))
    message = make_message(make_account())
    Message.objects.filter(pk=message.pk).update(state="unknown", reason="timed_out")
    client.force_login(make_staff("operator"))
    text = withheld(client, message)
    assert "Set unknown outcomes You lack this permission." in text
    assert "These people can grant it: Ann Lee." in text
    assert "Send SMS" not in text, "an operator sends"
    assert "Cancel messages" not in text, "nothing is left to cancel"
    client.force_login(boss)
    assert withheld(client, message) == ""


def test_page_of_a_settled_message_withholds_no_settling(client: Client) -> None:
    client.force_login(make_staff("operator"))
    assert "Set unknown outcomes" not in withheld(client, make_message(make_account()))
