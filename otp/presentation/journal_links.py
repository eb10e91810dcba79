"""Links from the journal, callbacks and messages to their code session."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from ..models import Session


def session_link(identity: str) -> tuple[str, str] | None:
    """Label and URL of a session; the label shows only the end of its number."""
    found = Session.objects.filter(pk=identity).values_list("public_id", "recipient").first()
    if found is None:
        return None
    public_id, recipient = found
    label = _("code session …%(digits)s") % {"digits": recipient[-4:]}
    return label, reverse("admin:otp_session_change", args=[public_id])
