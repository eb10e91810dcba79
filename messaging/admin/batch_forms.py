"""The form for a new batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.admin.pasted_text import PastedText
from core.names import GivenName
from core.punctuation import label_text
from providers.admin.account_picker import AccountSelect, ChosenAccount
from providers.gateway.client import SendsText
from providers.gateway.vocabulary import SmsKind
from providers.models import Account

from ..batches.create import BatchDraft, paste_to_file, proposed_name
from ..presentation.labels import SMS_KINDS
from ..template_values import offered_templates
from .send_form import lasting_reason, unavailable_reason
from .text_fields import checked_text, template_field, text_field

MEGABYTE = 1024 * 1024
LONGEST_PASTED = 2_000_000
"""Characters. Longer lists should be uploaded as a file."""


def can_send_texts(account: Account) -> bool:
    client = account.client
    return client is not None and issubclass(client, SendsText)


class NewBatchForm(forms.Form):
    error_css_class = "has-error"

    account = ChosenAccount(label=pgettext_lazy("field", "Account"))
    sms_kind = forms.ChoiceField(
        label=pgettext_lazy("field", "Kind"),
        choices=list(SMS_KINDS.items()),
        widget=UnfoldAdminRadioSelectWidget(),
    )
    sender_id = forms.ChoiceField(
        label=_("Sender ID"),
        widget=UnfoldAdminSelectWidget(),
        error_messages={"required": _("This account has no sender ID yet.")},
    )
    text = text_field()
    name = GivenName(
        label=_("Name of the batch"),
        required=False,
        max_length=80,
        help_text=_("For the list. Left empty, the text's beginning is used."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    pasted = PastedText(
        label=_("Paste recipients"),
        required=False,
        max_length=LONGEST_PASTED,
        strip=False,
        help_text=_("One number per line, or rows copied from a spreadsheet."),
        widget=UnfoldAdminTextareaWidget({"rows": 6, "dir": "ltr", "autocomplete": "off"}),
        error_messages={
            "max_length": _(
                "At most %(limit_value)s characters can be pasted; this has %(show_value)s."
                " Upload the list as a file."
            )
        },
    )
    file = forms.FileField(
        label=_("or upload a file"),
        required=False,
        allow_empty_file=True,
        widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.txt,.tsv,.xlsx,.ods,.fods,.xml,.xls"}),
    )
    form_token = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(
        self,
        *args: Any,
        account: Account,
        accounts: Iterable[Account],
        reader: User,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.sending_account = account
        self._set_choices(
            "account",
            [(one.public_id, one.name) for one in accounts],
            # A batch of a paused account waits, and the page says so.
            AccountSelect(accounts, lasting_reason, remark=unavailable_reason),
        )
        self.fields["account"].initial = account.public_id
        self.fields["sms_kind"].initial = account.options.get("kind") or SmsKind.TRANSACTIONAL
        client = account.client
        senders = (
            client.sender_ids(account.options)
            if client is not None and issubclass(client, SendsText)
            else ()
        )
        self._set_choices("sender_id", [(sender, sender) for sender in senders])
        self.fields["template"] = template_field(offered_templates(reader))
        self.fields["file"].help_text = gettext(
            "CSV, XLSX or ODS, up to %(rows)s rows, %(size)s MB."
        ) % {"rows": f"{settings.BATCH_ROWS:,}", "size": settings.BATCH_MEGABYTES}

    def _set_choices(
        self, name: str, choices: list[tuple[str, str]], widget: forms.Widget | None = None
    ) -> None:
        field = self.fields[name]
        if widget is not None:
            field.widget = widget
        field.choices = choices  # type: ignore[attr-defined]

    def clean_account(self) -> str:
        if reason := lasting_reason(self.sending_account):
            raise forms.ValidationError(label_text(self.sending_account.name, reason))
        return self.sending_account.public_id

    def clean_text(self) -> str:
        return checked_text(self.cleaned_data["text"])

    def clean_file(self) -> UploadedFile[bytes] | None:
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is None:
            return None
        if (file.size or 0) > settings.BATCH_MEGABYTES * MEGABYTE:
            raise forms.ValidationError(
                gettext("The file is larger than %(most)s MB.") % {"most": settings.BATCH_MEGABYTES}
                + " "
                + gettext("Split it.")
            )
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        given = bool(str(cleaned.get("pasted") or "").strip()), bool(cleaned.get("file"))
        if not self.errors and not any(given):
            self.add_error("pasted", gettext("Paste the recipients, or choose a file."))
        if all(given):
            self.add_error(
                "file", gettext("Either paste the recipients or choose a file, not both.")
            )
        return cleaned

    @property
    def draft(self) -> BatchDraft:
        values = self.cleaned_data
        file: UploadedFile[bytes] | None = values["file"]
        return BatchDraft(
            account=self.sending_account,
            text=values["text"],
            sms_kind=values["sms_kind"],
            sender_id=values["sender_id"],
            name=values["name"].replace("\0", "").strip() or proposed_name(values["text"]),
            file_name=(file.name or "file") if file else "",
            content=_chunks_of(file) if file else [paste_to_file(values["pasted"])],
        )


def _chunks_of(file: UploadedFile[bytes]) -> Iterator[bytes]:
    yield from file.chunks()
