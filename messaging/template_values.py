"""Templates in a single SMS: their variables, and the text with values in their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.db.models import F, FilteredRelation, Q

from providers import clock

from .batches.importing.lookalikes import fold_name
from .batches.importing.placeholders import Pattern, placeholders_in
from .models import Template, TemplateUse


def variables_of(text: str) -> list[str]:
    """The names that a text asks values for. Spellings of one name count once."""
    names: dict[str, str] = {}
    for name in placeholders_in(text):
        names.setdefault(fold_name(name), name)
    return list(names.values())


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its values, by the same rules as a row of a batch.

    Raises `EmptyPlaceholder` and `ShortenedPlaceholder`.
    """
    names = variables_of(text)
    return Pattern(text, names).fill([values.get(name, "") for name in names]).text


def fill_known(text: str, values: Mapping[str, str]) -> str:
    """The text as far as its values are known, for a preview."""
    known = {name: values.get(name) or f"{{{name}}}" for name in variables_of(text)}
    try:
        return fill(text, known)
    except ValueError:
        return text


def offered_templates(person: User) -> Sequence[Template]:
    """The templates that are in use: those that this person used last, then the others by name."""
    own = FilteredRelation("uses", condition=Q(uses__user=person.pk))
    rows = Template.objects.filter(in_use=True).annotate(own_use=own)
    last_used = F("own_use__used_at").desc(nulls_last=True)
    return list(rows.order_by(last_used, "name"))


def record_use(public_id: str, person: User) -> None:
    template = Template.objects.filter(public_id=public_id).first()
    if template is not None:
        TemplateUse.objects.update_or_create(
            template=template, user=person, defaults={"used_at": clock.now()}
        )
