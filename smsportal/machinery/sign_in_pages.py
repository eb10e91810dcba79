"""Sign-ins that succeeded, and those that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from core.admin.buttons import EmptyState
from core.admin.labels import Role, StateLabel, register_states, state_label
from core.masking import data
from core.times import when

from .pages import MachineryAdmin

SIGN_INS: Final = (pgettext_lazy("counted", "sign-in"), pgettext_lazy("counted", "sign-ins"))
FAILED: Final = (_("failed sign-in"), _("failed sign-ins"))
register_states(
    "failed_sign_in",
    {
        "True": StateLabel(
            pgettext_lazy("sign-in", "Locked out"),
            Role.DANGER,
            "lock",
            _("Too many attempts from this address failed. Further ones are refused for a while."),
        ),
        "False": StateLabel(
            pgettext_lazy("sign-in", "Wrong"),
            Role.WARNING,
            "error",
            _("The username or the password was wrong."),
        ),
    },
)


class AccessPage(MachineryAdmin):
    search_fields = ("=username", "=ip_address")
    search_help_text = _("Username or IP address")
    ordering = ("-attempt_time", "-pk")

    @admin.display(description=pgettext_lazy("column", "Time"), ordering="attempt_time")
    def time(self, row: Any) -> SafeString:
        return when(row.attempt_time)

    @admin.display(description=pgettext_lazy("field", "Username"), ordering="username")
    def name(self, row: Any) -> SafeString:
        return data(row.username or "")

    @admin.display(description=_("IP address"), ordering="ip_address")
    def address(self, row: Any) -> SafeString:
        return data(row.ip_address or "")

    @admin.display(description=pgettext_lazy("column", "Browser"))
    def browser(self, row: Any) -> SafeString:
        return data(row.user_agent[:60])

    def get_detail_title(self, request: HttpRequest, obj: Any) -> str:
        return str(obj.username or "")

    def get_detail_context(self, request: HttpRequest, obj: Any) -> Mapping[str, Any]:
        return {
            "facts": [
                (pgettext("column", "Time"), when(obj.attempt_time, full=True)),
                (_("IP address"), self.address(obj)),
                (pgettext("column", "Browser"), data(obj.user_agent)),
                *self.more_facts(obj),
            ]
        }

    def more_facts(self, obj: Any) -> list[tuple[Any, Any]]:
        return []


class SignInPage(AccessPage):
    list_title = pgettext_lazy("title", "Sign-ins")
    counted_as = SIGN_INS
    list_display = ("name", "time", "left", "address", "browser")

    @admin.display(description=_("Signed out at"), ordering="logout_time")
    def left(self, row: AccessLog) -> SafeString:
        return when(row.logout_time)

    def more_facts(self, obj: AccessLog) -> list[tuple[Any, Any]]:
        return [(_("Signed out at"), when(obj.logout_time, full=True))]


class FailedSignInPage(AccessPage):
    """One row for each name and address, until the lock ends."""

    list_title = _("Failed sign-ins")
    counted_as = FAILED
    list_display = ("name", "tries", "time", "address", "browser")

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No failed sign-ins."), icon="check_circle")

    @admin.display(description=pgettext_lazy("column", "Tries"), ordering="failures_since_start")
    def tries(self, row: AccessAttempt) -> int:
        return int(row.failures_since_start)

    def more_facts(self, obj: AccessAttempt) -> list[tuple[Any, Any]]:
        return [(pgettext_lazy("column", "Tries"), obj.failures_since_start)]


class EachFailurePage(AccessPage):
    list_title = _("Each failed sign-in")
    counted_as = FAILED
    list_display = ("name", "result", "time", "address", "browser")

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No failed sign-ins."), icon="check_circle")

    @admin.display(description=pgettext_lazy("column", "Result"), ordering="locked_out")
    def result(self, row: AccessFailureLog) -> SafeString:
        return state_label("failed_sign_in", str(row.locked_out))

    def more_facts(self, obj: AccessFailureLog) -> list[tuple[Any, Any]]:
        return [(pgettext("column", "Result"), self.result(obj))]


PAGES: Final = (
    (AccessLog, SignInPage),
    (AccessAttempt, FailedSignInPage),
    (AccessFailureLog, EachFailurePage),
)
