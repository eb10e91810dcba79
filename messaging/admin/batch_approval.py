"""Request approval of a batch on its confirm page, if it is beyond a limit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin.pages import current_user
from providers.presentation.approval_texts import passed_lines

from ..batches import proposals
from ..models import Batch
from .start_form import StartForm

REQUESTED = _("Approval requested. It starts once a second person has agreed.")
NOT_NEEDED = _("Approval is no longer needed. Nothing was sent yet: send it from here.")
WHY = _("Say why. The person who decides reads this.")


def approval_context(request: HttpRequest, batch: Batch, form: StartForm) -> dict[str, Any]:
    """What the confirm page says about limits. The time that was typed does not change them."""
    at = form.cleaned_data.get("at") if form.is_bound and hasattr(form, "cleaned_data") else None
    passed = proposals.limits_passed_by(batch, current_user(request), at)
    return {"passed": passed_lines(passed)}


def is_asked(form: StartForm, batch: Batch, by: User) -> bool:
    """Whether approval can be requested as the form says; otherwise it has an error."""
    if not proposals.limits_passed_by(batch, by, form.cleaned_data["at"]):
        form.add_error(None, NOT_NEEDED)
    elif not form.cleaned_data["why"].strip():
        form.add_error("why", WHY)
    return form.is_valid()


def request_approval(
    request: HttpRequest, batch: Batch, starts_at: datetime | None, why: str = ""
) -> bool:
    """Request approval, and say so. False if the batch may no longer be started."""
    asked = proposals.ask(batch, current_user(request), starts_at, why.strip())
    if asked is not None:
        messages.success(request, REQUESTED)
    return asked is not None
