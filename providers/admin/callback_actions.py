"""Actions on one callback: process it again, reveal it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from core.admin.actions import ObjectAction, RevealAction, log_change
from core.admin.labels import label_for
from core.stored_texts import declare

from ..callbacks import process, retry
from ..models import Callback
from ..presentation import callback_texts

PROCESSED_AGAIN: Final = declare("callback.processed_again", _("Processed again"))


def log_processed_again(request: HttpRequest, callbacks: Iterable[Callback]) -> None:
    log_change(request, callbacks, PROCESSED_AGAIN.store())


class ProcessAgain(ObjectAction[Callback]):
    """Process the callback again at once and show the result. This calls no provider."""

    permission_required = "providers.process_callback"
    is_one_transaction = False  # Each event of the callback is a transaction of its own.

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        callback = self.find(object_id)
        retry.process_again(Callback.objects.filter(pk=callback.pk))
        process.process_rows([callback.pk])
        callback.refresh_from_db()
        log_processed_again(request, [callback])
        word = label_for("callback", callback.state).word
        messages.success(request, _("Processed again. State is now: %(state)s.") % {"state": word})
        return self.back_to(callback)


class RevealCallback(RevealAction[Callback]):
    """Show the raw request as received."""

    permission_required = "providers.reveal_callback"
    template_name = "providers/callback_raw.html"

    def get_revealed(self, obj: Callback) -> dict[str, Any]:
        return {
            "callback": obj,
            "query": callback_texts.raw_query(obj, whole=True),
            "body": callback_texts.raw_body(obj, whole=True),
        }
