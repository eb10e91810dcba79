"""The pages of templates. Their form shows the size of the text and what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from core.admin.base import PortalAdmin
from core.admin.buttons import EmptyState
from core.admin.pages import fragment
from core.names import GivenName

from ..batches.importing.lookalikes import lone_brace
from ..models import Template
from ..template_values import fill_known, variables_of
from ..text_rules import LONGEST_TYPED
from . import export
from .new_batch import size_context
from .text_fields import checked_text

if TYPE_CHECKING:
    TemplateModelForm = forms.ModelForm[Template]
else:
    TemplateModelForm = forms.ModelForm


LONE_BRACE: Final = _(
    "“%(written)s” has a brace without its other half. It is no place for a value and is sent"
    " unchanged."
)


def sample_context(text: str) -> dict[str, Any]:
    """The size of the text, the names that it asks values for, and a text with these names."""
    names = variables_of(text)
    sample = fill_known(text, {name: name for name in names})
    return {**size_context(None, text), "variables": names, "sample": sample}


class TextWithPreview(UnfoldAdminTextareaWidget):
    """A field for a text. What the text becomes is shown below it while it is typed."""

    def render(self, name: str, value: Any, *args: Any, **kwargs: Any) -> SafeString:
        field: SafeString = super().render(name, value, *args, **kwargs)
        context = {"url": reverse("admin:messaging_template_size")}
        context |= sample_context(str(value or "")[:LONGEST_TYPED])
        return field + render_to_string("messaging/templates/preview.html", context)


@fragment("messaging.view_template")
def size(request: HttpRequest) -> HttpResponse:
    """Live fragment: the size and the variables of the text while it is typed."""
    if request.method != "POST":
        raise Http404
    context = sample_context(request.POST.get("text", "")[:LONGEST_TYPED])
    return render(request, "messaging/templates/sample.html", context)


class TemplateForm(TemplateModelForm):
    class Meta:
        model = Template
        fields = ("name", "text", "in_use")
        field_classes: ClassVar = {"name": GivenName}
        widgets: ClassVar = {"text": TextWithPreview({"rows": 5, "dir": "auto"})}
        help_texts: ClassVar = {
            "text": _(
                "{Name} is asked for in a single SMS, and replaced with the “Name” column in a"
                " batch."
            )
        }

    def clean_text(self) -> str:
        return checked_text(self.cleaned_data["text"])


@admin.register(Template)
class TemplateAdmin(PortalAdmin):
    form = TemplateForm
    list_export = export.TEMPLATES
    list_title = pgettext_lazy("title", "Templates")
    add_title = _("Add template")
    list_display = ("name", "text", "in_use")
    search_fields = ("name", "text")
    fields = ("name", "text", "in_use")
    pages = (("size/", "size", size),)

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css",)}
        js = ("portal/messaging.js",)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(
            _("No templates yet. A template is a reusable text."),
            self.get_list_primary(request),
            "draft",
        )

    def redirect_after_save(self, request: HttpRequest, obj: Model, *, added: bool) -> HttpResponse:
        """Back to the list, where the next template is."""
        self.message_user(request, self.get_saved_message(request, obj, added), messages.SUCCESS)
        if isinstance(obj, Template) and (written := lone_brace(obj.text)):
            self.message_user(request, LONE_BRACE % {"written": written}, messages.WARNING)
        return HttpResponseRedirect(reverse(self.url_name("changelist")))
