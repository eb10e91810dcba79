"""Links from the journal, callbacks and messages to their code session."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _

from ..models import Session


def session_links(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    """Labels and URLs of sessions; a label shows only the end of the number."""
    found = Session.objects.filter(pk__in=identities).order_by()
    return {
        str(pk): (
            _("code session …%(digits)s") % {"digits": recipient[-4:]},
            reverse("admin:otp_session_change", args=[public_id]),
        )
        for pk, public_id, recipient in found.values_list("pk", "public_id", "recipient")
    }
