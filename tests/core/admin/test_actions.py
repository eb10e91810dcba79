"""Actions on one object: they find it, act, log it and lead back to its page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse

from core.admin.actions import ObjectAction, RevealAction
from core.admin.read_only import ReadOnlyAdmin
from providers.models import Account
from smsportal.site import PortalSite

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Touch(ObjectAction[Account]):
    permission_required = "providers.check_account"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.find(object_id)
        self.log(account, "Touched")
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
urlpatterns = [path("i18n/", include("django.conf.urls.i18n")), path("", site.urls)]


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


def address(name: str, account: Account) -> str:
    return reverse(f"admin:providers_account_{name}", args=[account.public_id])


def test_an_action_logs_what_was_done_and_leads_back(browser: Client, account: Account) -> None:
    answer = browser.post(address("touch", account))
    assert answer["Location"] == address("change", account)
    entry = LogEntry.objects.get()
    assert (entry.change_message, entry.object_id) == ("Touched", str(account.pk))
    assert entry.user.username == "staff"


def test_an_action_is_not_done_by_a_link(browser: Client, account: Account) -> None:
    assert browser.get(address("touch", account)).status_code == 405


def test_an_action_on_nothing_is_not_found(browser: Client, account: Account) -> None:
    page = address("touch", account).replace(account.public_id, "unknown")
    assert browser.post(page).status_code == 404


def test_revealing_needs_a_reason_which_is_logged(browser: Client, account: Account) -> None:
    page = address("reveal", account)
    answer = browser.post(page, {"reason": ""})
    assert "secret of Main" not in answer.content.decode()
    assert not LogEntry.objects.exists()
    answer = browser.post(page, {"reason": "complaint"})
    assert "secret of Main" in answer.content.decode()
    assert LogEntry.objects.get().change_message == "Revealed: A complaint"


def test_what_was_revealed_is_kept_in_no_cache(browser: Client, account: Account) -> None:
    answer = browser.post(address("reveal", account), {"reason": "check"})
    assert "no-store" in answer["Cache-Control"]


def test_revealing_without_permission_answers_with_a_note(account: Account) -> None:
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))
    answer = stranger.post(address("reveal", account), {"reason": "check"})
    assert answer.status_code == 403
    assert "<html" not in answer.content.decode()
    assert not LogEntry.objects.exists()
