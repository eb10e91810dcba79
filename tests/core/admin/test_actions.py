"""Actions on one object: they find it, act, write a log entry and redirect to its page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse

from core.admin.actions import ObjectAction, RevealAction
from core.admin.history import log_text
from core.admin.read_only import ReadOnlyAdmin
from core.stored_texts import from_staff
from providers.models import Account
from smsportal.sign_in.urls import urlpatterns as sign_in_addresses
from smsportal.site import PortalSite

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Touch(ObjectAction[Account]):
    permission_required = "providers.check_account"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.find(object_id)
        self.log(account, from_staff("Touched"))
        return self.back_to(account)


class Reveal(RevealAction[Account]):
    permission_required = "providers.check_account"
    template_name = "messaging/revealed.html"

    def get_revealed(self, obj: Account) -> dict[str, Any]:
        return {"number": f"secret of {obj.name}"}


class AccountPages(ReadOnlyAdmin):
    pages = (
        ("<str:object_id>/touch/", "touch", Touch),
        ("<str:object_id>/reveal/", "reveal", Reveal),
    )


site = PortalSite(name="admin")
site.register(Account, AccountPages)
urlpatterns = [
    *sign_in_addresses,
    path("i18n/", include("django.conf.urls.i18n")),
    path("", site.urls),
]


@pytest.fixture
def account() -> Account:
    return Account.objects.create(name="Main", provider="haosms")


@pytest.fixture
def browser() -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="check_account"))
    client = Client()
    client.force_login(user)
    return client


def url_of(name: str, account: Account) -> str:
    return reverse(f"admin:providers_account_{name}", args=[account.public_id])


def test_action_is_logged_and_redirects_to_the_object(browser: Client, account: Account) -> None:
    response = browser.post(url_of("touch", account))
    assert response["Location"] == url_of("change", account)
    entry = LogEntry.objects.get()
    assert (entry.change_message, entry.object_id) == ("Touched", str(account.pk))
    assert entry.user.username == "staff"


def test_action_rejects_get(browser: Client, account: Account) -> None:
    assert browser.get(url_of("touch", account)).status_code == 405


def test_action_on_an_unknown_object_is_not_found(browser: Client, account: Account) -> None:
    page = url_of("touch", account).replace(account.public_id, "unknown")
    assert browser.post(page).status_code == 404


def test_revealing_requires_a_reason_and_logs_it(browser: Client, account: Account) -> None:
    page = url_of("reveal", account)
    response = browser.post(page, {"reason": ""})
    assert "secret of Main" not in response.content.decode()
    assert not LogEntry.objects.exists()
    response = browser.post(page, {"reason": "complaint"})
    assert "secret of Main" in response.content.decode()
    assert log_text(LogEntry.objects.get()) == "Revealed: Complaint"


def test_revealed_values_are_not_cached(browser: Client, account: Account) -> None:
    response = browser.post(url_of("reveal", account), {"reason": "check"})
    assert "no-store" in response["Cache-Control"]


def test_revealing_without_permission_returns_a_note(account: Account) -> None:
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))
    response = stranger.post(url_of("reveal", account), {"reason": "check"})
    assert response.status_code == 403
    assert "<html" not in response.content.decode()
    assert not LogEntry.objects.exists()
