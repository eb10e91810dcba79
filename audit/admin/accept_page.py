"""The page on which a person accepts a break of the chain."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.generic import FormView

from core.admin.buttons import Text
from core.admin.pages import Page, current_user
from core.admin.reason_form import ReasonForm

from ..accepted import accept, accepted_keys
from ..breaks import Break, breaks_of
from ..models import ACCEPT, ChainCheck
from ..presentation.chain_texts import break_text, newest_checks


class AcceptBreak(Page, FormView):  # type: ignore[type-arg]
    """Takes the reason. The break stays listed, and alarms no longer."""

    title = gettext_lazy("Accept a break of the chain")
    permission_required = ACCEPT
    form_class = ReasonForm
    template_name = "audit/accept_break.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        broken: Text = break_text(self._break)
        return super().get_context_data(broken=broken, button=_BUTTON, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # One of two people who accept the same break at the same time waits, and finds it accepted.
        with transaction.atomic():
            return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._break = self._find()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._break = self._find()
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        url = reverse("admin:audit_entry_changelist")
        ChainCheck.objects.select_for_update().get(pk=self._check.pk)
        if self._break.key in accepted_keys():
            messages.warning(self.request, _("No change: this break was accepted before."))
        else:
            accept(self._break, current_user(self.request), form.cleaned_data["reason"])
            messages.success(self.request, _("Accepted. The break stays listed with your reason."))
        return HttpResponseRedirect(url)

    def _find(self) -> Break:
        """The break of this key in the newest check. Raises `Http404`."""
        ended = newest_checks()[1]
        if ended is None:
            raise Http404
        self._check = ended
        for one in breaks_of(ended):
            if one.key == self.kwargs["key"] and one.may_be_accepted:
                return one
        raise Http404


_BUTTON = pgettext_lazy("button", "Accept this break")
