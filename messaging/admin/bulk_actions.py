"""Actions on several messages of the list at once.

Each action first shows how many of the chosen messages it would change. Messages that have moved
to another state in the meantime are left unchanged and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action

from core.admin.actions import log_change
from core.admin.buttons import Crumb
from core.admin.pages import NeedsPermission, current_user, new_form_token
from core.admin.protocols import ModelPages
from core.admin.reasons import reason_from
from core.stored_texts import Stored, StoredText, as_value

from .. import log_texts, queue_message, settle_outcome
from ..batches import resend
from ..models import Message
from ..on_hold import not_on_hold
from ..settle_outcome import SETTLE_REASONS
from ..states import MessageState

S = MessageState
AT_ONCE: Final = 100
"""Messages that one transaction changes, so that no lock is held for long."""


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """An action on several messages: eligible states, the change, and the reasons to offer."""

    title: Promise
    permission: str
    states: tuple[MessageState, ...]
    apply: Callable[[Message, User, Stored], bool]
    logged: StoredText
    reasons: tuple[str, ...] = ()
    """Keys of the preset reasons; empty if the action needs no reason."""


CANCEL: Final = BulkOperation(
    _("Cancel waiting messages"),
    "messaging.cancel_message",
    (S.QUEUED, S.HELD, S.SCHEDULED),
    lambda message, by, because: queue_message.cancel(message, by),
    log_texts.CANCELLED,
)
MARK_SENT: Final = BulkOperation(
    _("Mark as sent"),
    "messaging.resolve_message",
    (S.UNKNOWN,),
    settle_outcome.mark_sent,
    log_texts.MARKED_SENT,
    ("has", "console"),
)
MARK_NOT_SENT: Final = BulkOperation(
    _("Mark as not sent"),
    "messaging.resolve_message",
    (S.UNKNOWN,),
    settle_outcome.mark_not_sent,
    log_texts.MARKED_NOT_SENT,
    ("has_not", "console"),
)


@action(description=CANCEL.title)
def cancel_waiting(
    admin: ModelPages, request: HttpRequest, chosen: QuerySet[Message]
) -> HttpResponse | None:
    return run_operation(CANCEL, "cancel_waiting", admin, request, chosen)


@action(description=MARK_SENT.title)
def mark_sent(
    admin: ModelPages, request: HttpRequest, chosen: QuerySet[Message]
) -> HttpResponse | None:
    return run_operation(MARK_SENT, "mark_sent", admin, request, chosen)


@action(description=MARK_NOT_SENT.title)
def mark_not_sent(
    admin: ModelPages, request: HttpRequest, chosen: QuerySet[Message]
) -> HttpResponse | None:
    return run_operation(MARK_NOT_SENT, "mark_not_sent", admin, request, chosen)


SEND_AGAIN: Final = BulkOperation(
    _("Send again if not delivered"),
    "messaging.bulk_message",
    resend.NOT_DELIVERED,
    # `send_again_as_batch` handles all of them at once.
    lambda message, by, because: False,
    log_texts.SENT_AGAIN,
)


@action(description=SEND_AGAIN.title)
def send_again_as_batch(
    admin: ModelPages, request: HttpRequest, chosen: QuerySet[Message]
) -> HttpResponse | None:
    """Make a new batch of the chosen messages.

    The batch is checked and confirmed like any other, so this asks for no confirmation and sends
    nothing yet.
    """
    if not request.user.has_perm(SEND_AGAIN.permission):
        raise NeedsPermission(SEND_AGAIN.permission)
    try:
        batch = resend.resend_messages(chosen, current_user(request), new_form_token())
    except resend.MixedSelection:
        messages.error(request, _("Select messages with the same account, type and sender ID."))
        return HttpResponseRedirect(request.get_full_path())
    except ValueError:
        messages.error(
            request, _("None of the selected messages can be sent again, or too many are selected.")
        )
        return HttpResponseRedirect(request.get_full_path())
    return HttpResponseRedirect(reverse("admin:messaging_batch_confirm", args=[batch.public_id]))


ACTIONS: Final = {
    "send_again_as_batch": SEND_AGAIN,
    "cancel_waiting": CANCEL,
    "mark_sent": MARK_SENT,
    "mark_not_sent": MARK_NOT_SENT,
}


def run_operation(
    operation: BulkOperation,
    name: str,
    admin: ModelPages,
    request: HttpRequest,
    chosen: QuerySet[Message],
) -> HttpResponse | None:
    """Ask for confirmation; once confirmed, apply the operation and return to the list."""
    if not request.user.has_perm(operation.permission):
        raise NeedsPermission(operation.permission)
    eligible = chosen.filter(not_on_hold(), state__in=operation.states)
    because = reason_from(request, SETTLE_REASONS)
    if "confirmed" not in request.POST or (operation.reasons and not because):
        return render(
            request, "messaging/bulk.html", _context(operation, name, admin, request, chosen)
        )
    done, found = 0, list(eligible)
    for start in range(0, len(found), AT_ONCE):
        done += _apply(operation, request, found[start : start + AT_ONCE], because)
    _show_counts(request, done, chosen.count() - done)
    return HttpResponseRedirect(request.get_full_path())


@transaction.atomic
def _apply(
    operation: BulkOperation, request: HttpRequest, rows: list[Message], because: Stored
) -> int:
    """Change these messages, and record the changes. Returns how many were changed."""
    by = current_user(request)
    done = [message for message in rows if operation.apply(message, by, because)]
    values = {"reason": as_value(because)} if operation.reasons else {}
    log_change(request, done, operation.logged.store(**values))
    return len(done)


def _context(
    operation: BulkOperation,
    name: str,
    admin: ModelPages,
    request: HttpRequest,
    chosen: QuerySet[Message],
) -> dict[str, Any]:
    ids = list(chosen.values_list("pk", flat=True))
    eligible = chosen.filter(not_on_hold(), state__in=operation.states).count()
    return {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": operation.title,
        "trail": [admin.list_crumb(), Crumb(operation.title)],
        "action": name,
        "checkbox": ACTION_CHECKBOX_NAME,
        "ids": ids,
        "eligible": eligible,
        "others": len(ids) - eligible,
        "reasons": [(key, SETTLE_REASONS[key]) for key in operation.reasons],
        "missing_reason": "confirmed" in request.POST,
        "back": request.get_full_path(),
    }


def _show_counts(request: HttpRequest, done: int, left: int) -> None:
    if done:
        messages.success(
            request,
            ngettext("%(count)d message updated.", "%(count)d messages updated.", done)
            % {"count": done},
        )
    if left:
        messages.warning(
            request,
            ngettext(
                "%(count)d message was not changed: it is in another state.",
                "%(count)d messages were not changed: they are in another state.",
                left,
            )
            % {"count": left},
        )
