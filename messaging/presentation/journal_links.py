"""Link the journal to the message that a call was for."""

from __future__ import annotations

from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _

from ..find_messages import find_messages
from ..models import Message


def message_link(identity: str) -> tuple[str, str] | None:
    """Return label and URL; only the end of the number, since the journal masks numbers too."""
    found = Message.objects.filter(pk=identity).values_list("public_id", "recipient").first()
    if found is None:
        return None
    public_id, recipient = found
    label = _("message …%(digits)s") % {"digits": recipient[-4:]}
    return label, reverse("admin:messaging_message_change", args=[public_id])


MAX_FOUND: Final = 50


def find_subjects(identity: str) -> list[str]:
    """Return the subjects of the messages that have exactly this id."""
    return [f"message:{pk}" for pk in find_messages(identity)[:MAX_FOUND]]
