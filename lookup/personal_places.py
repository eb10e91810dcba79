"""Where names and notes hold a phone number."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from core.personal_data import Place, register

from .models import Note, NumberName


def register_places() -> None:
    register(
        Place(
            NumberName,
            pgettext_lazy("title", "Names"),
            number="number",
            searched=("name",),
            is_deleted=True,
            handed_out=("number", "name", "named_at"),
        )
    )
    register(
        Place(
            Note,
            pgettext_lazy("title", "Notes"),
            number="number",
            searched=("text",),
            mentioned=("text",),
            is_deleted=True,
            handed_out=("number", "kind", "text", "at", "removed_at"),
        )
    )
