from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from providers.inbox.accepting import callback

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path(
        "favicon.ico",
        RedirectView.as_view(url=f"/{settings.STATIC_URL.strip('/')}/portal/favicon.svg"),
    ),
    # With or without a slash at its end: a redirect would lose what was posted.
    re_path(r"^callbacks/(?P<token>.*?)/?$", callback, name="callback"),
    path("", admin.site.urls),
]

handler400 = "smsportal.errors.bad_request"
handler403 = "smsportal.errors.not_allowed"
handler404 = "smsportal.errors.not_found"
handler500 = "smsportal.errors.fault"
