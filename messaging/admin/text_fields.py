"""The fields for a text with places for values, and for the template that it is taken from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from core.admin.pasted_text import PastedText

from .. import segments
from ..batches.importing.lookalikes import odd_braces
from ..batches.importing.placeholders import placeholders_in
from ..models import Template
from ..text_rules import LONGEST_TYPED, check_text


class TemplateSelect(UnfoldAdminSelectWidget):
    """Carries the templates' texts, so that the page can copy the chosen one into its field."""

    def __init__(self, templates: Iterable[Template] = ()) -> None:
        super().__init__()
        self._texts = {template.public_id: template.text for template in templates}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if str(value) in self._texts:
            option["attrs"]["data-text"] = self._texts[str(value)]
        return option


def checked_text(text: str) -> str:
    """The text of a batch or template as it is kept. Raises `ValidationError`."""
    odd = odd_braces(text)
    if odd:
        raise forms.ValidationError(
            gettext(
                "“%(written)s” is not replaced with a column's value. Write the column name in"
                " single braces, or put a backslash before these characters to send them."
            )
            % {"written": odd}
        )
    return check_text(
        text, has_placeholders=bool(placeholders_in(segments.normalise_line_ends(text)))
    )


def text_field() -> forms.CharField:
    return PastedText(
        label=pgettext_lazy("field", "Text"),
        max_length=LONGEST_TYPED,
        strip=False,
        help_text=_("{Name} is replaced with each row's value in the “Name” column."),
        widget=UnfoldAdminTextareaWidget({"rows": 4, "dir": "auto"}),
        error_messages={"required": _("Enter the text.")},
    )


def template_field(templates: Iterable[Template]) -> forms.ChoiceField:
    templates = list(templates)
    named = [(one.public_id, one.name) for one in templates]
    return forms.ChoiceField(
        label=pgettext_lazy("field", "Template"),
        required=False,
        choices=[("", pgettext("choice", "none")), *named],
        widget=TemplateSelect(templates),
    )
