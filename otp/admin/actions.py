"""Actions on one session: check a code, resend, cancel, reveal the number."""

from __future__ import annotations

import time
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.admin.actions import ObjectAction, RevealAction
from core.admin.pages import current_user, refuse_fragment
from core.phones.parse import grouped
from core.stored_texts import declare
from messaging.recipients import InvalidRecipient
from providers.daily_limits import LimitReached
from providers.limit_texts import limit_text
from providers.models import Account

from .. import check_code, codes, limits, sessions
from ..models import Attempt, Session
from ..states import OPEN, UNDER_WAY
from .session_page import live_context

MAX_WAIT: Final = 1.5
"""Seconds that a response waits for the provider's answer, so that a check feels immediate. The
page polls for slower answers."""
POLL_INTERVAL: Final = 0.05
LONGEST_TYPED: Final = 200
SENT_AGAIN: Final = declare("session.sent_again", _("New code sent via %(account)s"))
CANCELLED: Final = declare("session.cancelled", pgettext_lazy("log", "Cancelled"))

VIEW: Final = "otp.view_session"
"""Every action shows the session afterwards, so it requires permission to view it, too."""


class CheckPage(ObjectAction[Session]):
    """Answers HTMX with the live fragment and other clients with a redirect to the page."""

    permission_required = (VIEW, "otp.check_code")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request"):
            refused = refuse_fragment(request, self.permission_required)
            if refused:
                return refused
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session = self.find(object_id)
        problem = self._check(session, request.POST.get("code", "")[:LONGEST_TYPED])
        session.refresh_from_db()
        if not request.headers.get("HX-Request"):
            if problem:
                messages.error(request, problem)
            return self.back_to(session)
        context = live_context(self.model_admin, request, session)
        return render(request, "otp/live.html", {**context, "problem": problem, "fetched": True})

    def _check(self, session: Session, typed: str) -> str:
        """Why nothing was checked; empty if something was."""
        token = self.request.POST.get("form_token", "")[:64] or None
        by = current_user(self.request)
        try:
            attempt = check_code.check(session, typed, by=by, form_token=token)
        except check_code.NothingEntered:
            return gettext("Enter the code that the customer reads out.")
        except codes.NotACode as other:
            of_digits = not session.codes.exclude(is_digits=True).exists()
            return not_a_code_text(other, of_digits=of_digits)
        except sessions.CheckUnderWay:
            return gettext(
                "The previous check is still waiting for the provider's answer. Wait a moment."
            )
        except check_code.NoAnswerYet:
            return gettext(
                "The provider has not returned an ID for this code yet, so it cannot be"
                " checked. Wait a moment, or send a new code."
            )
        except sessions.NotOpen:
            session.refresh_from_db()
            if session.state in OPEN and session.tries_left <= 0:
                return gettext("Not checked: no tries left. Send a new code.")
            return gettext("Not checked: this session has ended.")
        _wait_for(attempt)
        return ""


def not_a_code_text(other: codes.NotACode, *, of_digits: bool) -> str:
    """Say which length the code has. Nothing was checked, so no try was used."""
    shortest, longest = other.lengths[0], other.lengths[-1]
    if of_digits and shortest == longest:
        return gettext(
            "Not checked, and no try was used: the code has %(count)s digits. Enter the code alone."
        ) % {"count": shortest}
    if of_digits:
        return gettext(
            "Not checked, and no try was used: the code has %(least)s to %(most)s digits. Enter"
            " the code alone."
        ) % {"least": shortest, "most": longest}
    if shortest == longest:
        words = ngettext(
            "Not checked, and no try was used: the code has %(count)s character. Enter the code"
            " alone.",
            "Not checked, and no try was used: the code has %(count)s characters. Enter the code"
            " alone.",
            shortest,
        )
        return words % {"count": shortest}
    return gettext(
        "Not checked, and no try was used: the code has %(least)s to %(most)s characters. Enter"
        " the code alone."
    ) % {"least": shortest, "most": longest}


def _wait_for(attempt: Attempt) -> None:
    until = time.monotonic() + MAX_WAIT
    while attempt.state in UNDER_WAY and time.monotonic() < until:
        time.sleep(POLL_INTERVAL)
        attempt.refresh_from_db(fields=["state"])


class ResendPage(ObjectAction[Session]):
    permission_required = (VIEW, "otp.send_code")

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session = self.find(object_id)
        public_id, _colon, channel = request.POST.get("account", "").partition(":")
        token = request.POST.get("form_token", "")[:64]
        readable = "\x00" not in public_id + token
        account = Account.objects.filter(public_id=public_id).first() if readable else None
        if account is None or not token:
            raise Http404
        problem = self._send(session, account, channel, token)
        if problem:
            messages.error(request, problem)
        return self.back_to(session)

    def _send(self, session: Session, account: Account, channel: str, token: str) -> str:
        try:
            _session, created = sessions.resend(
                session, account, by=current_user(self.request), form_token=token, channel=channel
            )
        except limits.TooEarly as early:
            return limits.too_early_text(early)
        except LimitReached as reached:
            return limit_text(reached)
        except (InvalidRecipient, sessions.AccountCannot) as reason:
            return str(reason)
        except sessions.CheckUnderWay:
            return gettext(
                "The previous check is still waiting for the provider's answer. Wait a moment."
            )
        except sessions.NoTryLeft:
            return gettext("Not sent: this session has no tries left. Send a new code.")
        except sessions.StillSending:
            return gettext("The previous SMS is still being submitted. Wait a moment.")
        except sessions.NotOpen:
            return gettext("Not sent: this session has ended. Send a new code.")
        if created:
            self.log(session, SENT_AGAIN.store(account=account.name))
            messages.success(
                self.request, _("A new code is being sent. The previous code no longer works.")
            )
        else:
            messages.warning(
                self.request, _("This message has already been sent again. No duplicate was sent.")
            )
        return ""


class CancelPage(ObjectAction[Session]):
    permission_required = (VIEW, "otp.cancel_code")

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session = self.find(object_id)
        if sessions.cancel(session, current_user(request)):
            self.log(session, CANCELLED.store())
            messages.success(request, _("Cancelled. The code no longer works."))
        else:
            messages.warning(request, _("No change: this session had already ended."))
        return self.back_to(session)


class RevealPage(RevealAction[Session]):
    """Reveals the full number."""

    permission_required = (VIEW, "messaging.reveal_message")
    template_name = "messaging/revealed.html"

    def get_revealed(self, obj: Session) -> dict[str, Any]:
        return {"number": grouped(obj.recipient), "recipient": obj.recipient}
