"""Messages on hold, decided on the page and by the command, with the engine and real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from core.models import Act
from messaging.models import Message
from providers.hold.decisions import open_hold
from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_engine, run_rounds
from tests.support.holds import begin_hold
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


@pytest.fixture
def account(settings: LazySettings, sandbox: Sandbox) -> Account:
    """To the portal this is an account that costs money, since it names no sandbox."""
    settings.SANDBOX_URL = ""
    return make_account("haorui", sandbox)


def sent_to(sandbox: Sandbox) -> list[str]:
    entries = sandbox.book.entries("haorui", accepted=True)
    return sorted(str(entry.fields["phonenumber"])[-4:] for entry in entries)


def test_only_released_messages_are_sent_and_each_once(account: Account, sandbox: Sandbox) -> None:
    messages = [make_message(account, recipient=f"+86139123400{n:02}") for n in range(4)]
    hold = begin_hold()
    run_rounds()
    assert sent_to(sandbox) == []

    group = f"messages:{account.pk}"
    chosen = [message.pk for message in messages[:2]]
    browser = browser_of(member("manager"))
    form = {"hold": hold.pk, f"choice-{group}": "send", "reason": "Not sent", "confirmed": "yes"}
    for _twice in range(2):
        browser.post(f"/what-waits/rows/{group}/", {**form, "by_row": "yes", "rows": chosen})
    run_engine(lambda: Message.objects.filter(state="submitted").count() == 2)
    run_rounds()
    assert sent_to(sandbox) == ["0000", "0001"]

    out = StringIO()
    call_command("release", "--all", "--discard", "--reason", "Too late", stdout=out)
    assert f"{group}: 2 will not be sent" in out.getvalue()
    new = make_message(account, recipient="+8613912340099")
    run_engine(lambda: Message.objects.get(pk=new.pk).state == "submitted")
    assert sent_to(sandbox) == ["0000", "0001", "0099"]
    kept = Message.objects.filter(pk__in=[message.pk for message in messages[2:]])
    assert set(kept.values_list("state", flat=True)) == {"unknown"}
    assert open_hold() is None
    counts = {
        act.what: act.details.get("count") for act in Act.objects.filter(what__startswith="hold.")
    }
    assert counts == {"hold.release": 2, "hold.discard": 2, "hold.end": None}
