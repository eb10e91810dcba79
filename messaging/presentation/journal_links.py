"""Link the journal to the message that a call was for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _

from ..find_messages import find_messages
from ..models import Batch, Message


def message_links(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return labels and URLs; only the end of the number, since the journal masks numbers too."""
    found = Message.objects.filter(pk__in=identities).order_by()
    return {
        str(pk): (
            _("message …%(digits)s") % {"digits": recipient[-4:]},
            reverse("admin:messaging_message_change", args=[public_id]),
        )
        for pk, public_id, recipient in found.values_list("pk", "public_id", "recipient")
    }


def batch_links(identities: Collection[str]) -> dict[str, tuple[str, str]]:
    return {
        str(batch.pk): (
            _("batch “%(name)s”") % {"name": batch.title},
            reverse("admin:messaging_batch_change", args=[batch.public_id]),
        )
        for batch in Batch.objects.filter(pk__in=identities).order_by()
    }


MAX_FOUND: Final = 50


def find_subjects(identity: str) -> list[str]:
    """Return the subjects of the messages that have exactly this id."""
    return [f"message:{pk}" for pk in find_messages(identity)[:MAX_FOUND]]
