from django.contrib import admin
from django.templatetags.static import static
from django.urls import path, re_path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from providers.callbacks.receive import callback, mistyped_callback

from .localization.languages import set_language
from .sign_in.urls import urlpatterns as sign_in_addresses

admin.autodiscover()

urlpatterns = [
    path("i18n/setlang/", set_language, name="set_language"),
    # Lazy, because the file name contains a digest that collectstatic computes.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("portal/favicon.svg"))),
    # With or without a trailing slash, because a redirect would drop the posted body.
    re_path(r"^callbacks/(?P<token>.*?)/?$", callback, name="callback"),
    # A mistyped callback address must not lead to the sign-in page, whose address would hold its
    # secret.
    re_path(r"^(?P<mistyped>/*[Cc][Aa][Ll][Ll][Bb][Aa][Cc][Kk][Ss]?/.*)$", mistyped_callback),
    *sign_in_addresses,
    path("", admin.site.urls),
]

handler400 = "smsportal.errors.bad_request"
handler403 = "smsportal.errors.not_allowed"
handler404 = "smsportal.errors.not_found"
handler500 = "smsportal.errors.server_error"
handler429 = "smsportal.sign_in.library_pages.too_many"
