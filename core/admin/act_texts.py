"""The sentences of what is done on every list and form."""

from __future__ import annotations

from typing import Final

from django.apps import apps
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.act_sentences import Area, describe
from core.phones.searches import REFUSED
from core.stored_texts import render

FIGURES: Final = pgettext_lazy("title", "Figures")


def list_name(rows: object) -> str:
    """What people call the rows of `app.model`."""
    if rows == "figures":
        return str(FIGURES)
    try:
        return capfirst(str(apps.get_model(str(rows))._meta.verbose_name_plural))
    except (LookupError, ValueError):
        return str(rows)


def register() -> None:
    rows = {"rows": list_name}
    describe("reveal", Area.REVEAL, _("Revealed what is masked: %(subject)s"))
    describe(REFUSED, Area.REVEAL, _("Was refused a search for a number, after many alike"))
    describe(
        "export",
        Area.EXPORT,
        _("Exported “%(rows)s”, rows: %(count)s"),
        _("Exported “%(rows)s”"),
        _("Exported a list"),
        shown=rows,
    )
    of_list: dict[str, tuple[Promise, Promise]] = {
        "ask": (_("Asked for an export of “%(rows)s”"), _("Asked for an export")),
        "cancel": (_("Cancelled an export of “%(rows)s”"), _("Cancelled an export")),
        "delete": (_("Deleted the exported file of “%(rows)s”"), _("Deleted an exported file")),
    }
    for verb, texts in of_list.items():
        describe(f"export.{verb}", Area.EXPORT, *texts, shown=rows)
    describe(
        "export.download",
        Area.EXPORT,
        _("Downloaded the exported file of “%(rows)s”, rows: %(count)s"),
        _("Downloaded the exported file of “%(rows)s”"),
        _("Downloaded an exported file"),
        shown=rows,
    )
    describe("added", Area.ACCOUNT, _("Added %(subject)s"))
    describe(
        "changed",
        Area.ACCOUNT,
        _("Changed %(subject)s: %(fields)s"),
        _("Changed %(subject)s"),
        shown={"fields": render},
    )
    describe("deleted", Area.ACCOUNT, _("Deleted %(subject)s"))
