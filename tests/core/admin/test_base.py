"""The base admins: opaque URLs, read-only pages, and lists that tolerate any query string."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse
from django.views.generic import TemplateView
from unfold.templatetags import unfold_list

from core.admin.base import PortalAdmin
from core.admin.buttons import EmptyState
from core.admin.pages import Page, fragment
from core.admin.read_only import ReadOnlyAdmin
from providers.models import Account, Enquiry
from smsportal.sign_in.urls import urlpatterns as sign_in_addresses
from smsportal.site import PortalSite

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class CustomPage(Page, TemplateView):
    title = "A page of our own"
    permission_required = "providers.check_account"
    template_name = "portal/page.html"


class AccountAdmin(ReadOnlyAdmin):
    list_display = ("name", "created_at")
    list_filter = ("provider",)
    date_hierarchy = "created_at"
    search_fields = ("name", "base_url")
    pages = (
        ("own/", "own", CustomPage),
        ("<str:public_id>/part/", "part", "part"),
    )

    def get_detail_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {"facts": [("Name", obj.name)]}

    @fragment("providers.view_account")
    def part(self, request: HttpRequest, public_id: str) -> HttpResponse:
        return HttpResponse(self.get_or_404(request, public_id).name)


class EnquiryAdmin(PortalAdmin):
    fields = ("kind",)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState("Nobody asked yet.")


site = PortalSite(name="admin")
site.register(Account, AccountAdmin)
site.register(Enquiry, EnquiryAdmin)
urlpatterns = [
    *sign_in_addresses,
    path("i18n/", include("django.conf.urls.i18n")),
    path("", site.urls),
]


@pytest.fixture
def account() -> Account:
    # Contains what looks like Django's own quoting of an underscore.
    return Account.objects.create(name="Main <b>", provider="haosms", public_id="ab_5Fcd_3A-x")


@pytest.fixture
def browser() -> Client:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_account"))
    client = Client()
    client.force_login(user)
    return client


def page_of(account: Account) -> str:
    return reverse("admin:providers_account_change", args=[account.public_id])


LIST = "/providers/account/"


def test_page_url_contains_the_opaque_id(browser: Client, account: Account) -> None:
    assert f'href="{page_of(account)}' in browser.get(LIST).content.decode()
    page = browser.get(page_of(account))
    assert page.status_code == 200
    assert "Main &lt;b&gt;" in page.content.decode()


def test_primary_key_opens_no_page(browser: Client, account: Account) -> None:
    assert browser.get(f"{LIST}{account.pk}/change/").status_code == 404
    assert browser.get(f"{LIST}%00/change/").status_code == 404


def test_superusers_cannot_add_change_or_delete(account: Account) -> None:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    before = account.name
    pages = (f"{LIST}add/", page_of(account), f"{LIST}{account.public_id}/delete/")
    for page in pages:
        assert boss.post(page, {"name": "changed", "post": "yes"}).status_code == 403
    boss.post(LIST, {"action": "delete_selected", "_selected_action": [account.pk], "post": "1"})
    account.refresh_from_db()
    assert account.name == before


def test_pages_require_the_view_permission(account: Account) -> None:
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))
    assert stranger.get(page_of(account)).status_code == 403
    assert stranger.get(LIST).status_code == 403


HOSTILE_QUERIES = [
    {"q": "x" * 10_000},
    {"q": "a " * 5_000},
    {"q": "\x00"},
    {"q": "%_\\"},
    {"q": "'\"; --"},
    {"q": '"unclosed'},
    {"q": "\U0001f468\u200d\U0001f469\u202e"},
    {"p": "999999"},
    {"p": "-1"},
    {"p": "0"},
    {"p": "x"},
    {"p": "9" * 400},
    {"page": "999999"},
    {"o": "garbage"},
    {"o": "-9.99.x.-"},
    {"all": ""},
    {"provider": "\x00"},
    {"provider": ""},
    {"provider__exact": "x' OR 1=1"},
    {"created_at__year": "never"},
    {"created_at__year": "99999999999"},
    {"created_at__day": "31", "created_at__month": "2", "created_at__year": "2025"},
    {"created_at__gte": "2025-99-99"},
    {"credentials__value": "x"},
    {"paused_by__password__startswith": "a"},
    {"nothing__like__this": "1"},
    {"id__in": "9" * 40},
]


@pytest.mark.parametrize("query", HOSTILE_QUERIES, ids=lambda query: str(query)[:40])
def test_list_tolerates_any_query_string(
    browser: Client, account: Account, query: dict[str, str]
) -> None:
    response = browser.get(LIST, query, follow=True)
    assert response.status_code == 200
    assert b'id="changelist"' in response.content


def test_list_loads_no_slug_scripts(browser: Client) -> None:
    page = browser.get(LIST).content.decode()
    assert "admin/js/core.js" in page
    assert [name for name in ("urlify", "prepopulate", "xregexp") if name in page] == []


def test_list_headers_are_built_once(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    Account.objects.bulk_create(Account(name=f"account {n}", provider="haosms") for n in range(3))
    names: list[str] = []
    original = unfold_list.label_for_field

    def record(name: str, *arguments: Any, **values: Any) -> Any:
        names.append(name)
        return original(name, *arguments, **values)

    monkeypatch.setattr(unfold_list, "label_for_field", record)
    page = browser.get(LIST).content.decode()
    assert page.count("field-created_at") == 3
    assert sorted(names) == ["created_at", "name"]


def test_page_number_past_the_end_shows_the_last_page(browser: Client) -> None:
    Account.objects.bulk_create(
        Account(name=f"account {n:03}", provider="haosms") for n in range(60)
    )
    page = browser.get(LIST, {"p": "999999"}).content.decode()
    assert "account 059" in page
    assert "account 010" not in page


def test_percent_sign_in_a_search_is_literal(browser: Client, account: Account) -> None:
    assert "Nothing matches these filters." in browser.get(LIST, {"q": "%"}).content.decode()
    assert account.public_id in browser.get(LIST, {"q": "main"}).content.decode()


def test_empty_list_shows_its_own_text() -> None:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    assert "Nobody asked yet." in boss.get("/providers/enquiry/").content.decode()


def test_saving_redirects_to_the_object(account: Account) -> None:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    enquiry = Enquiry.objects.create(account=account, kind="check")
    page = reverse("admin:providers_enquiry_change", args=[enquiry.public_id])
    response = boss.post(page, {"kind": "balance"})
    assert response["Location"] == page
    assert "Saved." in boss.get(page).content.decode()


def test_custom_page_requires_its_permission(browser: Client) -> None:
    response = browser.get(reverse("admin:providers_account_own"))
    assert response.status_code == 403
    user = User.objects.get(username="viewer")
    user.user_permissions.add(Permission.objects.get(codename="check_account"))
    page = browser.get(reverse("admin:providers_account_own")).content.decode()
    assert "A page of our own" in page
    assert f'href="{LIST}"' in page


def test_fragment_is_refused_without_a_redirect(browser: Client, account: Account) -> None:
    part = reverse("admin:providers_account_part", args=[account.public_id])
    assert browser.get(part).content == b"Main <b>"
    assert browser.get(part.replace(account.public_id, "unknown")).status_code == 404
    stranger = Client()
    assert stranger.get(part).status_code == 401
    stranger.force_login(User.objects.create_user("stranger", is_staff=True))
    assert stranger.get(part).status_code == 403


def test_chip_removes_an_active_filter(browser: Client, account: Account) -> None:
    page = browser.get(LIST, {"provider": "haosms", "q": "main"}).content.decode()
    assert 'class="filter-chip" href="?q=main"' in page
    assert "filter-chip" not in browser.get(LIST).content.decode()
