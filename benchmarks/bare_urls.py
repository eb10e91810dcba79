"""The portal's URLs and that of the baseline view."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from smsportal.urls import urlpatterns as addresses

from .bare import insert_bare_row


@csrf_exempt
def bare(request: HttpRequest, account_id: int) -> HttpResponse:
    insert_bare_row(account_id, request.body)
    return HttpResponse("OK", content_type="text/plain")


urlpatterns = [path("bare/<int:account_id>/", bare), *addresses]
