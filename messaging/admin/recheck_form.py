"""The form that reads the recipients of a batch again in another way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from ..batches.choices import Choices
from ..batches.importing.encodings import CHOICES, label_of
from ..batches.importing.file_errors import FileProblem
from ..models import Batch
from ..presentation.reading_texts import column_text
from .text_fields import checked_text, text_field

ENCODING_PROBLEMS = (FileProblem.UNREADABLE, FileProblem.ENCODING)
Choice = tuple[str, str]


def number_field(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )


class RecheckForm(forms.Form):
    """What staff may choose about the reading. A field without alternatives is left out."""

    error_css_class = "has-error"

    sheet = number_field(pgettext_lazy("field", "Sheet"))
    number_column = number_field(_("Number column"))
    heading_row = number_field(_("Heading row"))
    encoding = forms.ChoiceField(
        label=pgettext_lazy("field", "Encoding"), required=False, widget=UnfoldAdminSelectWidget()
    )
    hidden = forms.ChoiceField(
        label=_("Hidden rows"), required=False, widget=UnfoldAdminSelectWidget()
    )
    text = text_field()

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self._batch = batch
        self._found = batch.findings or {}
        self._chosen = Choices.of(batch.choices)
        self._is_column_chosen = bool(self._found.get("is_chosen", True))
        self._offer("sheet", list(self._sheets()), self._chosen.sheet)
        column = batch.number_column if self._is_column_chosen else None
        self._offer("number_column", list(self._columns()), column)
        self._offer("heading_row", list(self._heading_rows()), self._chosen.heading_row)
        self._offer("encoding", list(self._encodings()), self._chosen.encoding)
        leave_out = "leave_out" if self._chosen.leave_out_hidden else ""
        self._offer("hidden", list(self._hidden()), leave_out)
        self.fields["text"].initial = batch.text

    @property
    def reading_fields(self) -> list[Any]:
        names = ("sheet", "number_column", "heading_row", "encoding", "hidden")
        return [self[name] for name in names if name in self.fields]

    def _offer(self, name: str, choices: list[Choice], initial: object) -> None:
        if not choices:
            del self.fields[name]
            return
        self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.fields[name].initial = "" if initial is None else initial

    def _sheets(self) -> Iterator[Choice]:
        sheets = self._found.get("sheets", [])
        if len(sheets) > 1:
            yield "", _detected(sheets[self._found["sheet"]], self._chosen.sheet is None)
            yield from ((str(index), name) for index, name in enumerate(sheets))

    def _columns(self) -> Iterator[Choice]:
        batch, number = self._batch, self._batch.number_column
        if not batch.columns:
            return
        known = number is not None and number < len(batch.columns) and not self._is_column_chosen
        yield "", _detected(column_text(batch, number or 0), known)
        likely = self._found.get("candidates", [])
        order = sorted(range(len(batch.columns)), key=lambda index: index not in likely)
        yield from ((str(index), column_text(batch, index)) for index in order)

    def _heading_rows(self) -> Iterator[Choice]:
        if not self._found:
            return
        row = self._found["heading_row"]
        named = _row(row) if row else gettext("No heading")
        yield "", _detected(named, self._chosen.heading_row is None)
        yield "0", gettext("No heading")
        for number in sorted({*self._found["first_rows"], *([row] if row else [])}):
            yield str(number), _row(number)

    def _encodings(self) -> Iterator[Choice]:
        found, chosen = self._found, self._chosen.encoding
        is_offered = found.get("is_guess") or chosen or self._batch.reason in ENCODING_PROBLEMS
        if not is_offered or self._batch.source != Batch.Source.FILE:
            return
        name = found.get("encoding")
        yield "", _detected(label_of(name) if name else "", bool(name) and not chosen)
        likely = found.get("encodings", [])
        for one in sorted(CHOICES, key=lambda one: one not in likely):
            yield one, label_of(one)

    def _hidden(self) -> Iterator[Choice]:
        if self._found.get("hidden_rows") or self._chosen.leave_out_hidden:
            yield "", pgettext("choice", "Included")
            yield "leave_out", gettext("Left out")

    def clean_text(self) -> str:
        return checked_text(self.cleaned_data["text"])

    @property
    def choices(self) -> Choices:
        """How the file is to be read."""
        values = self.cleaned_data
        return Choices(
            encoding=values.get("encoding") or None,
            sheet=values.get("sheet"),
            heading_row=values.get("heading_row"),
            leave_out_hidden=values.get("hidden") == "leave_out",
        )

    @property
    def column(self) -> int | None:
        """None: it is detected. A column of another sheet or heading is not the same column."""
        chosen: int | None = self.cleaned_data.get("number_column")
        now, before = self.choices, self._chosen
        is_other_table = (now.sheet, now.heading_row) != (before.sheet, before.heading_row)
        if is_other_table and chosen == self._batch.number_column:
            return None
        return chosen


def _detected(what: str, is_known: bool) -> str:
    if not is_known or not what:
        return gettext("Detect automatically")
    return gettext("Detected: %(what)s") % {"what": what}


def _row(number: int) -> str:
    return gettext("Row %(row)s") % {"row": number}
