"""The form of decisions about what is on hold."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.reasons import MAX_REASON_LENGTH

from ..hold.decisions import Decision

CHOICE: Final = "choice-"
SHOWN: Final = "shown-"
SEND: Final = "send"
DISCARD: Final = "discard"
MAX_ID: Final = 2**63 - 1


class DecisionForm(forms.Form):
    """A choice for each of some groups, or for some rows of one group, and a reason.

    `choice-<group>` is "send" or "discard"; `shown-<group>` is how many rows waited when the
    page was made. With `by_row`, the decision is about the `rows` only.
    """

    reason = forms.CharField(label=pgettext_lazy("field", "Reason"), max_length=MAX_REASON_LENGTH)
    decisions: list[Decision]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not isinstance(self.data, QueryDict):
            raise forms.ValidationError(_("Nothing was chosen."))
        self.decisions = decisions_in(self.data)
        if not self.decisions:
            raise forms.ValidationError(_("Choose Send or Do not send for at least one line."))
        if any(decision.rows is not None and not decision.rows for decision in self.decisions):
            raise forms.ValidationError(_("Select at least one row."))
        return cleaned


def decisions_in(posted: QueryDict) -> list[Decision]:
    """The decisions of a posted form. Leaves out what is none."""
    rows = number_list(posted.getlist("rows")) if "by_row" in posted else None
    return [
        Decision(name.removeprefix(CHOICE), posted[name] == SEND, rows, shown_in(posted, name))
        for name in posted
        if name.startswith(CHOICE) and posted[name] in (SEND, DISCARD)
    ]


def shown_in(posted: QueryDict, name: str) -> int | None:
    numbers = number_list([posted.get(SHOWN + name.removeprefix(CHOICE), "")])
    return numbers[0] if numbers else None


def number_list(values: list[str]) -> list[int]:
    numbers = [int(value) for value in values if value.isascii() and value.isdecimal()]
    return [number for number in numbers if number <= MAX_ID]
