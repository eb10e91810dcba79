"""The addresses of signing in. Not the library's own list, which would open sign-up and resets."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from . import library_pages as pages
from .oidc import pages as oidc
from .password_links import SetPasswordPage
from .security_page import SecurityPage, SessionsPage

own = admin.site.admin_view
urlpatterns = [
    # Under its two names: the library's, and the one of every page of the admin.
    path("login/", admin.site.login, name="account_login"),
    path("set-password/<uidb64>/<token>/", SetPasswordPage.as_view(), name="set_password"),
    path("sign-in/code/", pages.SecondStep.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey/", pages.PasskeySignIn.as_view(), name="mfa_login_webauthn"),
    path("sign-in/provider/", oidc.start, name="oidc_start"),
    path("sign-in/provider/return/", oidc.come_back, name="oidc_return"),
    path("sign-in/provider/signed-out/", oidc.signed_out, name="oidc_signed_out"),
    path("confirm/provider/", own(oidc.ConfirmByProvider.as_view()), name="confirm_by_provider"),
    path("my-security/provider/", own(oidc.MyProvider.as_view()), name="my_provider"),
    path("confirm/", own(pages.ConfirmByPassword.as_view()), name="account_reauthenticate"),
    path("confirm/code/", own(pages.ConfirmByCode.as_view()), name="mfa_reauthenticate"),
    path(
        "confirm/passkey/",
        own(pages.ConfirmByPasskey.as_view()),
        name="mfa_reauthenticate_webauthn",
    ),
    path("my-security/", own(SecurityPage.as_view()), name="mfa_index"),
    path("my-security/sessions/", own(SessionsPage.as_view()), name="my_sessions"),
    path("my-security/app/", own(pages.AddApp.as_view()), name="mfa_activate_totp"),
    path("my-security/app/remove/", own(pages.RemoveApp.as_view()), name="mfa_deactivate_totp"),
    path("my-security/passkeys/", own(pages.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "my-security/passkeys/<int:pk>/remove/",
        own(pages.RemovePasskey.as_view()),
        name="mfa_remove_webauthn",
    ),
    path(
        "my-security/recovery-codes/",
        own(pages.RecoveryCodes.as_view()),
        name="mfa_view_recovery_codes",
    ),
    path(
        "my-security/recovery-codes/new/",
        own(pages.NewRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
]
