"""What the columns of a table are called in a file that is handed out."""

from __future__ import annotations

from django.utils.text import capfirst

from core.personal_data import Place


def heading_of(place: Place, name: str) -> str:
    label = getattr(place.model._meta.get_field(name), "verbose_name", name)
    return capfirst(str(label))
