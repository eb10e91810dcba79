"""Actions on one message: cancel, release, settle, send again, reveal."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from core.admin.actions import ObjectAction, RevealAction
from core.admin.pages import NeedsPermission, current_user
from core.admin.reasons import reason_from
from core.phone import grouped
from providers.daily_limits import LimitReached
from providers.engine.wake import wake_engine
from providers.limit_texts import limit_text

from .. import queue_message, settle_outcome
from ..models import Message
from ..on_hold import is_on_hold
from ..recipients import InvalidRecipient
from ..settle_outcome import SETTLE_REASONS

ON_HOLD_TEXT: Final = _("Nothing was changed: it is on hold, and a manager decides about it.")


class CancelPage(ObjectAction[Message]):
    """Cancel a message that has not been claimed."""

    permission_required = "messaging.cancel_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        if queue_message.cancel(message, current_user(request)):
            self.log(message, "Cancelled")
            messages.success(request, _("Cancelled. Nothing was sent and nothing was charged."))
        elif is_on_hold(message):
            messages.warning(request, ON_HOLD_TEXT)
        else:
            messages.warning(request, _("Too late to cancel: it has been handed over."))
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
            self.log(message, "Released")
            wake_engine()
        elif is_on_hold(message):
            messages.warning(request, ON_HOLD_TEXT)
        else:
            messages.warning(request, _("Nothing was changed: it no longer waits for a go-ahead."))
        return self.back_to(message)


class SettlePage(ObjectAction[Message]):
    """Settle an unknown outcome as sent or not sent."""

    permission_required = "messaging.resolve_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        because = reason_from(request, SETTLE_REASONS)
        if not because:
            messages.error(request, _("Nothing was changed: choose or type a reason."))
            return self.back_to(message)
        settle = {"sent": settle_outcome.mark_sent, "not_sent": settle_outcome.mark_not_sent}.get(
            request.POST.get("outcome", "")
        )
        if settle is None:
            messages.error(request, _("Nothing was changed: choose what happened."))
        elif settle(message, current_user(request), because):
            self.log(message, f"Settled as {request.POST['outcome']}: {because}")
            messages.success(request, _("The outcome is settled."))
        else:
            messages.warning(request, _("Nothing was changed: the outcome is known already."))
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
            messages.error(request, _("This message cannot be sent again as it is."))
            return self.back_to(message)
        if created:
            self.log(message, f"Sent again as {repeat.public_id}")
        else:
            messages.warning(request, _("This was already sent again; nothing was sent twice."))
        return self.back_to(repeat)


class RevealPage(RevealAction[Message]):
    """Show the whole number and text."""

    permission_required = "messaging.reveal_message"
    template_name = "messaging/revealed.html"

    def get_revealed(self, obj: Message) -> dict[str, Any]:
        return {"number": grouped(obj.recipient), "message": obj}
