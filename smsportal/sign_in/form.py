"""The sign-in form."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget

from .local_accounts import may_sign_in_locally

INVALID_LOGIN = _("The username or password is incorrect.")


class RevealablePassword(UnfoldAdminPasswordWidget):
    """A password field with a button that shows the password."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        # Django's form renderer does not search the project's templates.
        context = {"field": super().render(name, value, attrs, renderer)}
        return render_to_string("portal/password.html", context)


class SignInForm(AuthenticationForm):
    """Gives the same message for a wrong name, a wrong password and an inactive account."""

    error_messages = {"invalid_login": INVALID_LOGIN, "inactive": INVALID_LOGIN}

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        attributes = self.fields["password"].widget.attrs
        self.fields["password"].widget = RevealablePassword(
            {"autocomplete": "current-password", "maxlength": attributes.get("maxlength", 4096)}
        )
        self.fields["username"].widget.attrs.update(autocomplete="username", spellcheck="false")

    def confirm_login_allowed(self, user: Any) -> None:
        """While local accounts are switched off, the right password is as good as a wrong one."""
        super().confirm_login_allowed(user)
        if not may_sign_in_locally(user):
            raise self.get_invalid_login_error()
