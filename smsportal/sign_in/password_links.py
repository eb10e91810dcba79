"""One-time links by which staff choose their own password.

Nobody types a password for somebody else. A link ends when it is used, when the person signs in,
when the person's permissions change, and after a day.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.html import format_html
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext, pgettext_lazy
from unfold.forms import AdminOwnPasswordChangeForm

from core.acts import record_act

from ..rights.delegation import permissions_of
from .local_accounts import may_sign_in_locally
from .owner_notices import PASSWORD, tell_once_more
from .sessions import end_sessions

USED: Final = "staff.password_by_link"
# Django's views have no usable types here.
ConfirmView: Any = PasswordResetConfirmView
UnfoldPasswordForm: Any = AdminOwnPasswordChangeForm


class LinkTokens(PasswordResetTokenGenerator):
    """Tokens that also end when the person gains or loses permissions.

    Otherwise, whoever made a link for a colleague could keep it until the colleague holds more.
    """

    key_salt = "smsportal.password_links"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        held = sorted(permissions_of(user).values_list("pk", flat=True))
        rights = f"{user.is_active}{user.is_superuser}{held}"
        return f"{super()._make_hash_value(user, timestamp)}{rights}"


tokens: Final = LinkTokens()


def make_link(request: HttpRequest, person: User) -> str:
    """The whole address of a new link, which is shown once and stored nowhere."""
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    path = reverse("set_password", args=[uid, tokens.make_token(person)])
    address = settings.PUBLIC_ADDRESS
    return f"{address}{path}" if address else request.build_absolute_uri(path)


def link_cell(person: User, page: str) -> str:
    """What the page of a person says about their password. `page`: where a link is made."""
    if not may_sign_in_locally(person):
        return gettext("Switched off: staff sign in over the identity provider.")
    return format_html(
        '<a class="button" href="{}">{}</a>', page, gettext("Create a one-time link")
    )


class ChooseForm(UnfoldPasswordForm):
    """The form of a new password, without the old one."""

    field_order = ("new_password1", "new_password2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["old_password"]


class SetPasswordPage(ConfirmView):
    """Django moves the token from the address into the session before it shows the form."""

    title = pgettext_lazy("title", "Choose a password")
    template_name = "registration/set_password.html"
    token_generator = tokens
    form_class = ChooseForm
    success_url = reverse_lazy("admin:login")

    def get_user(self, uidb64: str) -> User | None:
        """None, as for a link that is too old, while the person may not use a password."""
        person: User | None = super().get_user(uidb64)
        return person if person is None or may_sign_in_locally(person) else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            if not self._is_still_valid():
                self.validlink = False
                refused: HttpResponse = self.render_to_response(self.get_context_data())
                return refused
            answer: HttpResponse = super().form_valid(form)
            record_act(USED, by=self.user, subject=f"user:{self.user.pk}")
            tell_once_more(self.user, PASSWORD)
            end_sessions(self.user)
        return answer

    def _is_still_valid(self) -> bool:
        """Of two who use a link at once, one waits for the lock and finds the password changed."""
        person = User.objects.select_for_update(no_key=True).get(pk=self.user.pk)
        return tokens.check_token(person, self.request.session.get(INTERNAL_RESET_SESSION_TOKEN))
