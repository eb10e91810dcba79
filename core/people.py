"""How pages name people, and which names people may take."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from .names import has_control_characters, hides_characters

NAME_FIELDS: Final = ("first_name", "last_name")


def person_name(user: object) -> str:
    """The full name, or else the user name. None means the portal itself."""
    if user is None:
        return _("the portal")
    full_name = getattr(user, "get_full_name", str)()
    return full_name or str(user)


def clean_name(form: forms.ModelForm[User], cleaned: dict[str, Any]) -> None:
    """Add an error if pages could show this person as somebody else."""
    if form.instance.pk and not {*NAME_FIELDS, "username"}.intersection(form.changed_data):
        # People who had one name before are still edited.
        return
    parts = [str(cleaned.get(name) or "") for name in NAME_FIELDS]
    name = " ".join(filter(None, parts))
    if has_control_characters(name) or hides_characters(name):
        form.add_error("first_name", _("Remove invisible characters."))
        return
    shown = comparable(name or str(cleaned.get("username") or form.instance.username))
    others = User.objects.exclude(pk=form.instance.pk)
    taken = {comparable(word) for one in others for word in (person_name(one), one.username)}
    if shown in taken:
        form.add_error(
            "first_name",
            _("Another member of staff has this name. Add what tells the two apart."),
        )


def comparable(name: str) -> str:
    """A name as readers take it, whatever its case, widths and spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
