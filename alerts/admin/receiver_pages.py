"""The pages that set up a receiver, and the ping."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View

from core.admin.buttons import Crumb
from core.admin.pages import Page, current_user

from .. import receiver_changes
from ..models import Receiver, the_watch
from ..permissions import SET_ALERTS
from ..targets import SERVICES
from .forms import PingForm, ReceiverForm
from .overview_page import TITLE


def receiver_or_404(public_id: str) -> Receiver:
    found = Receiver.objects.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


class _FormPage(Page, FormView):  # type: ignore[type-arg]
    permission_required = SET_ALERTS

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:alerts")), Crumb(self.get_title())]


class ReceiverFormPage(_FormPage):
    template_name = "alerts/receiver.html"
    form_class = ReceiverForm
    _receiver: Receiver | None = None

    @property
    def receiver(self) -> Receiver:
        if self._receiver is None:
            key = self.kwargs.get("public_id")
            self._receiver = receiver_or_404(key) if key else Receiver()
        return self._receiver

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "receiver": self.receiver}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(receiver=self.receiver, services=SERVICES, **kwargs)

    def form_valid(self, form: ReceiverForm) -> HttpResponse:
        receiver_changes.save_receiver(
            self.receiver,
            form.values(),
            form.target,
            form.cleaned_data["url"],
            current_user(self.request),
        )
        messages.success(self.request, _("The receiver is saved. Send a test."))
        return HttpResponseRedirect(reverse("admin:alerts"))


class AddReceiverPage(ReceiverFormPage):
    title = gettext_lazy("Add a receiver")


class ReceiverPage(ReceiverFormPage):
    title = gettext_lazy("Receiver of alerts")


class SendTest(Page, View):
    permission_required = SET_ALERTS
    http_method_names = ["post"]

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        receiver_changes.send_test(receiver_or_404(public_id), current_user(request))
        messages.success(request, _("A test is being sent. Its result appears on this page."))
        return HttpResponseRedirect(reverse("admin:alerts"))


class RemoveReceiver(Page, View):
    permission_required = SET_ALERTS
    http_method_names = ["post"]

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        receiver_changes.remove_receiver(receiver_or_404(public_id), current_user(request))
        messages.success(request, _("The receiver was removed."))
        return HttpResponseRedirect(reverse("admin:alerts"))


class PingPage(_FormPage):
    title = gettext_lazy("Address of the ping")
    template_name = "alerts/ping.html"
    form_class = PingForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(watch=the_watch(), **kwargs)

    def form_valid(self, form: PingForm) -> HttpResponse:
        url, by = form.cleaned_data["url"], current_user(self.request)
        receiver_changes.save_ping(form.target, url, by)
        text = _("The ping is on.") if form.target else _("The ping is off.")
        messages.success(self.request, text)
        return HttpResponseRedirect(reverse("admin:alerts"))
