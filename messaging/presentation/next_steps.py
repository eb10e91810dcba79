"""The next step after a fault, as a button that the reader may press."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin.buttons import Button
from providers.error_texts import ACCOUNT_STEPS
from providers.gateway.vocabulary import Reason
from providers.models import Account
from providers.pause_facts import may_fix_accounts, pause_fact

from ..models import Message
from ..states import MessageState
from .labels import REPORT_OVERDUE, shown_state

S = MessageState
Others = Callable[[], Sequence[Account]]
LEAVE_NOTE = Button(_("Leave a note for a colleague"), "#notes", "edit_note")


def next_steps(message: Message, reader: User | AnonymousUser, others: Others) -> list[Button]:
    """`others` finds the accounts that could send this message now, except its own.

    Whoever can do nothing about the fault leaves a note for somebody who can.
    """
    if not _is_fault(message):
        return []
    found = list(_steps(message, reader, others))
    return found or ([] if _has_buttons(message, reader) else [LEAVE_NOTE])


def _is_fault(message: Message) -> bool:
    if message.settled_at:
        return False
    failed = message.state in (S.UNKNOWN, S.REFUSED, S.NOT_SENT, S.UNDELIVERED, S.REJECTED)
    return failed or _waits_for_account(message) or shown_state(message) == REPORT_OVERDUE


def _waits_for_account(message: Message) -> bool:
    return message.state in (S.QUEUED, S.CLAIMED) and message.account.is_paused


def _is_about_account(message: Message) -> bool:
    if _waits_for_account(message):
        return True
    if message.reason not in ACCOUNT_STEPS or message.state == S.UNKNOWN:
        return False
    pause = pause_fact(message.account, message.reason, message.answered_at or message.ended_at)
    return pause is None or not pause.is_over


def _steps(message: Message, reader: User | AnonymousUser, others: Others) -> Iterator[Button]:
    sends = reader.has_perm("messaging.send_message")
    never_left = message.state in (S.REFUSED, S.NOT_SENT)
    if _is_about_account(message):
        if may_fix_accounts(reader):
            url = reverse("admin:providers_account_change", args=[message.account.public_id])
            yield Button(_("Open the account"), url, "account_balance_wallet")
        # What still waits would go out twice.
        if sends and never_left and message.kind == Message.Kind.TEXT and (able := others()):
            yield Button(_("Send via another account"), _send_url(message, able[0]), "send")
    elif message.reason == Reason.BAD_NUMBER and sends and message.kind == Message.Kind.TEXT:
        yield Button(_("Correct the number"), _send_url(message, message.account), "edit")
    elif shown_state(message) == REPORT_OVERDUE and reader.has_perm("providers.view_callback"):
        query = urlencode({"account": message.account.public_id})
        url = f"{reverse('admin:providers_callback_changelist')}?{query}"
        yield Button(_("Look at the callbacks of the account"), url, "webhook")


def _send_url(message: Message, account: Account) -> str:
    """The form with the number and the text of this message, as far as the reader sees them."""
    query = urlencode({"like": message.public_id, "account": account.public_id})
    return f"{reverse('admin:messaging_message_send')}?{query}"


def _has_buttons(message: Message, reader: User | AnonymousUser) -> bool:
    """Whether the page has buttons of its own that settle or repeat the message."""
    if message.state == S.UNKNOWN:
        return reader.has_perm("messaging.resolve_message")
    if _waits_for_account(message):
        return reader.has_perm("messaging.cancel_message")
    return reader.has_perm("messaging.send_message")
