"""The sentences of acts on notes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe


def register() -> None:
    describe("note.add", Area.OTHER, _("Wrote %(subject)s"))
    describe("note.done", Area.OTHER, _("Marked as done: %(subject)s"))
    describe("note.remove", Area.OTHER, _("Removed %(subject)s"))
