"""What staff can do with one message: cancel, settle, send again, see it whole."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from core.admin.pages import NeedsPermission, Page, person, refuse_fragment
from core.admin.reasons import REVEAL_REASONS, reason_from
from core.phone import grouped
from providers.daily_limits import LimitReached
from providers.engine.kick import kick_if_idle

from . import sending, settling
from .daily_words import limit_words
from .models import Message
from .recipients import NotARecipient
from .settling import SETTLE_REASONS


class MessageAction(Page, View):
    """POST only; afterwards the message's page again."""

    http_method_names = ["post"]

    def find(self, object_id: str) -> Message:
        if self.model_admin is None:
            raise RuntimeError("An action belongs to a model's admin.")
        message: Message = self.model_admin.get_or_404(self.request, object_id)
        return message

    def back_to(self, message: Message) -> HttpResponse:
        if self.model_admin is None:
            raise RuntimeError("An action belongs to a model's admin.")
        return HttpResponseRedirect(self.model_admin.object_url(message))

    def log(self, message: Message, text: str) -> None:
        LogEntry.objects.log_actions(
            user_id=person(self.request).pk,
            queryset=[message],
            action_flag=CHANGE,
            change_message=text,
        )


class CancelPage(MessageAction):
    permission_required = "messaging.cancel_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        if sending.cancel(message, person(request)):
            self.log(message, "Cancelled")
            messages.success(request, _("Cancelled. Nothing was sent and nothing was charged."))
        else:
            messages.warning(request, _("Too late to cancel: it has been handed over."))
        return self.back_to(message)


class ReleasePage(MessageAction):
    permission_required = "messaging.send_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        try:
            released = sending.release(message)
        except NotARecipient as reason:
            messages.error(request, str(reason))
            return self.back_to(message)
        if released:
            self.log(message, "Released")
            kick_if_idle()
        else:
            messages.warning(request, _("Nothing was changed: it no longer waits for a go-ahead."))
        return self.back_to(message)


class SettlePage(MessageAction):
    permission_required = "messaging.resolve_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        because = reason_from(request, SETTLE_REASONS)
        if not because:
            messages.error(request, _("Nothing was changed: choose or type a reason."))
            return self.back_to(message)
        settle = {"sent": settling.mark_sent, "not_sent": settling.mark_not_sent}.get(
            request.POST.get("outcome", "")
        )
        if settle is None:
            messages.error(request, _("Nothing was changed: choose what happened."))
        elif settle(message, person(request), because):
            self.log(message, f"Settled as {request.POST['outcome']}: {because}")
            messages.success(request, _("The outcome is settled."))
        else:
            messages.warning(request, _("Nothing was changed: the outcome is known already."))
        return self.back_to(message)


class SendAgainPage(MessageAction):
    permission_required = "messaging.send_message"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        if message.state == "unknown" and not request.user.has_perm("messaging.resolve_message"):
            raise NeedsPermission("messaging.resolve_message")
        token = request.POST.get("form_token", "")[:64]
        try:
            again, made = settling.send_again(message, person(request), token)
        except NotARecipient as reason:
            messages.error(request, str(reason))
            return self.back_to(message)
        except LimitReached as limit:
            messages.error(request, limit_words(limit))
            return self.back_to(message)
        except ValueError:
            messages.error(request, _("This message cannot be sent again as it is."))
            return self.back_to(message)
        if made:
            self.log(message, f"Sent again as {again.public_id}")
        else:
            messages.warning(request, _("This was already sent again; nothing was sent twice."))
        return self.back_to(again)


class RevealPage(MessageAction):
    """Answers with the whole number and text, and writes down who saw them and why."""

    permission_required = "messaging.reveal_message"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refused = refuse_fragment(request, (self.permission_required,))
        return refused or super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        message = self.find(object_id)
        because = reason_from(request, REVEAL_REASONS)
        if not because:
            note = gettext("Choose or type a reason first.")
            return render(request, "messaging/revealed.html", {"note": note}, status=200)
        self.log(message, f"Revealed: {because}")
        context = {"number": grouped(message.recipient), "message": message}
        answer = render(request, "messaging/revealed.html", context)
        answer["Cache-Control"] = "no-store"
        return answer
