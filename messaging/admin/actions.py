"""Actions on one message: cancel, release, settle, send again, reveal."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from core.admin.actions import ObjectAction, RevealAction
from core.admin.pages import NeedsPermission, current_user
from core.admin.reasons import reason_from, reason_problem
from core.phones.parse import grouped
from core.stored_texts import as_value
from providers.daily_limits import LimitReached
from providers.engine.wake import wake_engine
from providers.limit_texts import limit_text

from .. import log_texts, queue_message, settle_outcome
from ..models import Message
from ..on_hold import is_on_hold
from ..recipients import InvalidRecipient
from ..settle_outcome import SETTLE_REASONS

ON_HOLD_TEXT: Final = _("No change: this is on hold. A manager decides.")


class CancelPage(ObjectAction[Message]):
    """Cancel a message that has not been claimed."""

    permission_required = "messaging.cancel_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        if queue_message.cancel(message, current_user(request)):
            self.log(message, log_texts.CANCELLED.store())
            messages.success(request, _("Cancelled. Nothing was sent and nothing was charged."))
        elif is_on_hold(message):
            messages.warning(request, ON_HOLD_TEXT)
        else:
            messages.warning(
                request,
                _("Too late to cancel: the message has already been submitted to the provider."),
            )
        return self.back_to(message)


class ReleasePage(ObjectAction[Message]):
    """Confirm a held message, so that it is sent."""

    permission_required = "messaging.send_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        try:
            released = queue_message.release(message)
        except InvalidRecipient as reason:
            messages.error(request, str(reason))
            return self.back_to(message)
        if released:
            self.log(message, log_texts.RELEASED.store())
            wake_engine()
        elif is_on_hold(message):
            messages.warning(request, ON_HOLD_TEXT)
        else:
            messages.warning(
                request, _("No change: the message is no longer waiting for confirmation.")
            )
        return self.back_to(message)


class SettlePage(ObjectAction[Message]):
    """Settle an unknown outcome as sent or not sent."""

    permission_required = "messaging.resolve_message"
    outcomes: Final = {
        "sent": (settle_outcome.mark_sent, log_texts.MARKED_SENT),
        "not_sent": (settle_outcome.mark_not_sent, log_texts.MARKED_NOT_SENT),
    }

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        because = reason_from(request, SETTLE_REASONS)
        if not because:
            otherwise = _("No change: choose a reason, or describe it in a few words.")
            messages.error(request, reason_problem(request, otherwise))
            return self.back_to(message)
        outcome = self.outcomes.get(request.POST.get("outcome", ""))
        if outcome is None:
            messages.error(request, _("No change: choose an outcome."))
            return self.back_to(message)
        settle, logged = outcome
        if settle(message, current_user(request), because):
            self.log(message, logged.store(reason=as_value(because)))
            messages.success(request, _("Outcome saved."))
        else:
            messages.warning(request, _("No change: the outcome has already been set."))
        return self.back_to(message)


class SendAgainPage(ObjectAction[Message]):
    """Send a copy of a message. For an unknown one, that needs the permission to settle."""

    permission_required = "messaging.send_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        if message.state == "unknown" and not request.user.has_perm("messaging.resolve_message"):
            raise NeedsPermission("messaging.resolve_message")
        token = request.POST.get("form_token", "")[:64]
        try:
            repeat, created = settle_outcome.send_again(message, current_user(request), token)
        except InvalidRecipient as reason:
            messages.error(request, str(reason))
            return self.back_to(message)
        except LimitReached as limit:
            messages.error(request, limit_text(limit))
            return self.back_to(message)
        except ValueError:
            messages.error(request, _("This message cannot be sent again unchanged."))
            return self.back_to(message)
        if created:
            self.log(message, log_texts.SENT_AGAIN.store(id=repeat.public_id))
        else:
            messages.warning(
                request, _("This message has already been sent again. No duplicate was sent.")
            )
        return self.back_to(repeat)


class RevealPage(RevealAction[Message]):
    """Show the full number and text."""

    permission_required = ("messaging.view_message", "messaging.reveal_message")
    template_name = "messaging/revealed.html"

    def get_revealed(self, obj: Message) -> dict[str, Any]:
        return {"number": grouped(obj.recipient), "recipient": obj.recipient, "message": obj}
