"""Notes that wait for a person, on the dashboard of whom they concern."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import ngettext

from core.admin.attention import AttentionItem, counted_item

from .notes import open_notes_for, open_notes_given_by

MOST_COUNTED: Final = 100


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    """Both the person to whom a note was assigned and its writer see it until it is done."""
    person = request.user
    if not isinstance(person, User):
        return
    url = reverse("admin:hand_over")
    count = open_notes_for(person).order_by()[:MOST_COUNTED].count()
    text = ngettext("%(count)d note for you", "%(count)d notes for you", count)
    yield from counted_item(count, text, f"{url}#notes", "edit_note")
    count = open_notes_given_by(person).order_by()[:MOST_COUNTED].count()
    text = ngettext(
        "%(count)d note that you assigned is not done",
        "%(count)d notes that you assigned are not done",
        count,
    )
    yield from counted_item(count, text, f"{url}#notes", "edit_note")
