"""The page "Send SMS": permissions, one message per form, errors, account change, preview."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from messaging.models import Message
from providers import accounts
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
URL = "/messaging/message/send/"


@pytest.fixture
def operator(client: Client) -> User:
    user = make_staff("operator")
    client.force_login(user)
    return user


def form_data(account: Account, /, **changes: Any) -> dict[str, Any]:
    usual = {
        "haorui": {"sms_kind": "T", "sender_id": "HAORUI", "text": "Your parcel is here."},
        "haosms": {},
        "otpservice": {},
    }[account.provider]
    form = {"account": account.public_id, "recipient": "139 1234 5678", "form_token": "one"}
    return {**form, **usual, **changes}


def html(response: Any) -> str:
    return str(response.content.decode())


def post(client: Client, account: Account, **changes: Any) -> Any:
    return client.post(URL, form_data(account, **changes))


def notices(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- permissions -------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("auditor", 403), ("operator", 200), ("manager", 200)]
)
def test_page_requires_the_send_permission(client: Client, role: str, status: int) -> None:
    make_account()
    client.force_login(make_staff(role))
    assert client.get(URL).status_code == status


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_post_requires_the_send_permission(client: Client, role: str) -> None:
    account = make_account()
    client.force_login(make_staff(role))
    assert post(client, account).status_code == 403
    assert not Message.objects.exists()


def test_page_requires_login(client: Client) -> None:
    assert client.get(URL).status_code == 302
    assert post(client, make_account()).status_code == 302
    assert not Message.objects.exists()


# --- sending -----------------------------------------------------------------


def test_form_queues_a_message_and_redirects_to_its_page(client: Client, operator: User) -> None:
    response = post(client, make_account())
    message = Message.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse(
        "admin:messaging_message_change", args=[message.public_id]
    )
    assert (message.recipient, message.created_by) == ("+8613912345678", operator)


def test_get_sends_nothing(client: Client, operator: User) -> None:
    client.get(URL, form_data(make_account()))
    assert not Message.objects.exists()


def test_form_posted_twice_sends_once_and_warns(client: Client, operator: User) -> None:
    account = make_account()
    first, second = post(client, account), post(client, account)
    assert second["Location"] == first["Location"]
    assert Message.objects.count() == 1
    (notice,) = notices(client.get(second["Location"]))
    assert notice.startswith("This form was already submitted at ")


def test_changed_form_posted_again_needs_confirmation(client: Client, operator: User) -> None:
    account = make_account()
    post(client, account)
    response = post(client, account, text="Another text")
    assert response.status_code == 200
    assert Message.objects.count() == 1
    assert "Your later changes have not been sent" in notices(response)[0]
    assert "Another text" in html(response)

    token = response.context["form"]["form_token"].value()
    again = form_data(account, text="Another text", form_token=token)
    assert client.post(URL, again).status_code == 302
    assert Message.objects.count() == 2


def test_repeated_text_is_sent_after_confirmation(client: Client, operator: User) -> None:
    account = make_account()
    post(client, account)
    earlier = Message.objects.get()

    warned = post(client, account, form_token="two")
    assert warned.status_code == 200
    assert "sent the same text to this number at" in html(warned)
    assert "Send anyway" in html(warned)
    assert Message.objects.count() == 1

    post(client, account, form_token="two", confirmed=earlier.public_id)
    assert Message.objects.count() == 2


def test_confirmation_is_valid_only_for_the_shown_message(client: Client, operator: User) -> None:
    account = make_account()
    post(client, account)
    post(client, account, form_token="two", confirmed="something else")
    assert Message.objects.count() == 1


# --- form errors -------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"recipient": ""}, "recipient", "Enter a phone number."),
        ({"recipient": "1391234567"}, "recipient", "has 10 digits"),
        ({"recipient": "+14155550100"}, "recipient", "is not allowed to send to United States"),
        ({"text": ""}, "text", "Enter the text."),
        ({"text": " \n "}, "text", "Enter the text."),
        ({"text": "a\x07b"}, "text", "control character"),
        ({"text": "a\x00b"}, "text", "an invisible character"),
        (
            {"text": "验" * 671},
            "text",
            "may have at most 10 segments; it has 11. Remove 1 character.",
        ),
        ({"sms_kind": "X"}, "sms_kind", "“X” is not offered here"),
        ({"sender_id": "BANK"}, "sender_id", "“BANK” is not offered here"),
    ],
)
def test_error_is_shown_beside_its_field_and_input_is_kept(
    client: Client, operator: User, changes: dict[str, str], field: str, problem: str
) -> None:
    typed = {"text": "Kept as typed", "recipient": "139 1234 5678", **changes}
    response = post(client, make_account(), **typed)

    assert response.status_code == 200
    assert problem in str(response.context["form"].errors[field])
    for name in {"text", "recipient"} - {field}:
        assert typed[name] in html(response)
    assert not Message.objects.exists()


def test_page_title_announces_an_error(client: Client, operator: User) -> None:
    shown = html(post(client, make_account(), text=""))
    title = shown.partition("<title>")[2].partition("</title>")[0]
    assert title.strip().startswith("Error: Send SMS")


@pytest.mark.parametrize(
    ("change", "reason"), [("pause", "paused"), ("countries", "no allowed countries/regions")]
)
def test_unavailable_account_shows_the_reason(
    client: Client, operator: User, change: str, reason: str
) -> None:
    account = make_account(allowed_countries=[] if change == "countries" else ["CN"])
    if change == "pause":
        accounts.pause(account, "by_hand")
    page = html(client.get(URL))
    assert reason in page
    assert re.search(f'<option value="{account.public_id}"[^>]* disabled', page)
    response = post(client, account)
    assert reason in str(response.context["form"].errors["account"])
    assert not Message.objects.exists()


def test_form_whose_only_account_is_paused_says_so(client: Client, operator: User) -> None:
    account = make_account()
    accounts.pause(account, "by_hand")
    # A browser does not post an option that is disabled.
    data = {name: value for name, value in form_data(account).items() if name != "account"}
    response = client.post(URL, data)
    shown = str(response.context["form"].errors["account"])
    assert "Choose an account that can be used now." in shown
    page = html(response)
    assert re.search(f'<option value="{account.public_id}" selected[^>]* disabled', page)
    assert not Message.objects.exists()


def test_pasted_text_is_refused_whole_rather_than_cut(client: Client, operator: User) -> None:
    account = make_account()
    # The attribute would let the browser cut what is pasted.
    field = re.search(r'<textarea name="text"[^>]*>', html(client.get(URL)))
    assert field is not None
    assert "maxlength" not in field[0]
    typed = "好" * 10_000
    page = html(post(client, account, text=typed))
    assert "This may have at most 5000 characters; it has 10000. Shorten it." in page
    assert typed in page


def test_form_without_an_account_sends_over_none(client: Client, operator: User) -> None:
    data = {name: value for name, value in form_data(make_account()).items() if name != "account"}
    assert "account" in client.post(URL, data).context["form"].errors
    assert not Message.objects.exists()


def test_who_may_resume_the_paused_account_gets_the_way_to_it(client: Client) -> None:
    account = make_account()
    accounts.pause(account, "by_hand")
    address = reverse("admin:providers_account_change", args=[account.public_id])
    for role, offered in (("operator", False), ("manager", True)):
        client.force_login(make_staff(role))
        note = html(client.get(URL)).partition('id="paused-note"')[2].partition('id="send-button"')
        assert (address in note[0]) is offered
        assert ("Ask a manager" in note[0]) is not offered


def test_page_without_accounts_shows_the_next_step(client: Client, operator: User) -> None:
    assert "Ask a manager" in html(client.get(URL))
    client.force_login(make_staff("manager"))
    assert "Add account" in html(client.get(URL))


# --- another account ---------------------------------------------------------


def test_changing_the_account_keeps_the_input_and_sends_nothing(
    client: Client, operator: User
) -> None:
    one, other = make_account(name="One"), make_account(name="Other")
    form = form_data(one, account=other.public_id, text="Half a te", change_account="1")
    response = client.post(URL, form)
    assert response.context["account"] == other
    assert "Half a te" in html(response)
    assert "139 1234 5678" in html(response)
    assert not Message.objects.exists()


def test_fields_follow_the_chosen_account(client: Client, operator: User) -> None:
    one, other = make_account(), make_account(options={"sender_ids": ["OTHER"]})
    response = client.post(URL, form_data(one, account=other.public_id, change_account="1"))
    assert response.context["account"] == other
    assert response.context["form"].fields["sender_id"].choices == [("OTHER", "OTHER")]


def test_last_used_account_is_preselected(client: Client, operator: User) -> None:
    make_account(name="A first")
    used = make_account(name="Z last")
    post(client, used)
    assert client.get(URL).context["account"] == used


@pytest.mark.parametrize("provider", ["haosms", "otpservice"])
class TestAccountForCodesOnly:
    """A code that is sent as a plain SMS belongs to no session, so it can never be checked."""

    def test_is_listed_with_the_reason_and_not_proposed(
        self, client: Client, operator: User, provider: str
    ) -> None:
        codes, texts = make_account(provider, name="A codes"), make_account(name="Z texts")
        response = client.get(URL)
        assert response.context["account"] == texts
        option = re.search(f'<option value="{codes.public_id}"[^>]*>[^<]*', html(response))
        assert option is not None
        assert " disabled" in option[0]
        assert "A codes – sends codes only" in option[0]

    def test_offers_only_the_page_for_codes(
        self, client: Client, operator: User, provider: str
    ) -> None:
        account = make_account(provider)
        page = html(client.get(URL, {"account": account.public_id}))
        assert 'id="send-button"' not in page
        link = f"{reverse('admin:otp_session_send')}?account={account.public_id}"
        assert page.count(link) == 1

    def test_direct_post_is_refused(self, client: Client, operator: User, provider: str) -> None:
        for typed in ({}, {"text": "Hello", "sms_kind": "T", "sender_id": "HAORUI"}):
            response = post(client, make_account(provider), **typed)
            assert "sends codes only" in str(response.context["form"].errors["account"])
        assert not Message.objects.exists()

    def test_is_never_remembered(self, client: Client, operator: User, provider: str) -> None:
        codes, texts = make_account(provider), make_account()
        session = client.session
        session["send_account"] = codes.public_id
        session.save()
        assert client.get(URL).context["account"] == texts
        assert "text" in client.get(URL).context["form"].fields


def test_paused_account_says_beside_the_button_what_will_happen(
    client: Client, operator: User
) -> None:
    account = make_account(name="Main")
    accounts.pause(account, "by_hand")
    page = html(client.get(URL))
    note = page[page.index('id="paused-note"') : page.index('id="send-button"')]
    assert "Main is paused, so this form will be refused" in strip_tags(note)
    assert "No other account can be used now" in note
    assert re.search(
        r'id="send-button"[^>]* aria-disabled="true"[^>]* aria-describedby="paused-note"', page
    )
    make_account(name="Other")
    page = html(client.get(URL, {"account": account.public_id}))
    assert "Choose another account, or ask a manager to resume this one." in page


# --- to the number of an earlier message --------------------------------------


def test_number_of_an_own_message_is_filled_in_by_its_id(client: Client, operator: User) -> None:
    message = make_message(make_account(), by=operator)
    page = html(client.get(URL, {"to": message.public_id}))
    assert 'value="+86 139 1234 5678"' in page
    link = html(client.get(reverse("admin:messaging_message_change", args=[message.public_id])))
    assert f"?to={message.public_id}&amp;account={message.account.public_id}" in link


@pytest.mark.parametrize("to", ["", "unknown", "\x00", "x" * 500])
def test_unknown_message_fills_in_nothing(client: Client, operator: User, to: str) -> None:
    make_account()
    assert client.get(URL, {"to": to}).context["form"]["recipient"].value() == ""


def test_number_that_is_masked_for_this_person_is_not_filled_in(
    client: Client, operator: User
) -> None:
    message = make_message(make_account())
    page = html(client.get(URL, {"to": message.public_id}))
    assert "1234 5678" not in page


def test_each_form_has_its_own_token(client: Client, operator: User) -> None:
    make_account()
    tokens = {client.get(URL).context["form"]["form_token"].value() for _ in range(3)}
    assert len(tokens) == 3


# --- the preview -------------------------------------------------------------


def preview(client: Client, account: Account, **typed: str) -> str:
    response = client.post(f"{URL}preview/", {"account": account.public_id, **typed})
    assert response.status_code == 200
    return " ".join(html(response).split())


def test_preview_shows_the_grouped_number_and_its_country(client: Client, operator: User) -> None:
    shown = preview(client, make_account(), recipient="13912345678")
    assert "+86 139 1234 5678" in shown
    assert "China" in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "0 segments · GSM-7 · 160 characters left"),
        ("a" * 160, "1 segment · GSM-7 · 0 characters left"),
        ("验" * 71, "2 segments · Unicode · 63 characters left"),
        ("a" * 159 + "验", "3 segments · Unicode"),
        ("验" * 671, "Too long: remove 1 character."),
        ("Don’t", "Unicode because of this character:"),
        ("Don’t", "“’” (position 4)"),
        ("Don’t – wait, please wait", "“–” (position 7)"),
        ("\u200bDon't", "1 segment · GSM-7 · 155 characters left"),
    ],
)
def test_preview_counts_the_text(client: Client, operator: User, text: str, expected: str) -> None:
    assert expected in preview(client, make_account(), text=text)


def test_replacement_is_offered_with_what_it_saves(client: Client, operator: User) -> None:
    shown = preview(client, make_account(), text="’–" + "a" * 100)
    assert "Replace with plain characters: saves 1 segment" in shown
    button = re.search('data-replacements="([^"]*)"', shown)
    assert button is not None
    assert json.loads(unescape(button[1])) == [["’", "'"], ["–", "-"]]


@pytest.mark.parametrize("text", ["Don’t", "Don’t 😀" + "a" * 100, "验" * 80 + "’", "a" * 200])
def test_replacement_that_saves_nothing_is_not_offered(
    client: Client, operator: User, text: str
) -> None:
    assert "data-replacements" not in preview(client, make_account(), text=text)


@pytest.mark.parametrize("text", ["\u200b", " \u3164\n", "\u2800\ufe0f", "\u202a\u202c"])
def test_text_that_shows_nothing_is_refused(client: Client, operator: User, text: str) -> None:
    response = post(client, make_account(), text=text)
    assert response.context["form"].errors["text"] == ["Enter the text."]
    assert not Message.objects.exists()


def test_invisible_characters_are_not_sent(client: Client, operator: User) -> None:
    post(client, make_account(), text="\ufeffRene\u0301\u200b, it\u00ads here")
    assert Message.objects.get().text == "René, its here"


def test_preview_estimates_the_cost_if_the_price_is_known(client: Client, operator: User) -> None:
    assert "No price is set" in preview(client, make_account(), text="a")
    priced = make_account(price_per_segment="0.04")
    assert "About 0.08" in preview(client, priced, text="a" * 161)


def test_preview_sends_nothing(client: Client, operator: User) -> None:
    account = make_account()
    client.post(f"{URL}preview/", form_data(account))
    assert not Message.objects.exists()


def test_preview_without_login_returns_no_form(client: Client) -> None:
    response = client.post(f"{URL}preview/", {})
    assert response.status_code == 401
    assert "<form" not in html(response)


def test_preview_requires_the_send_permission(client: Client) -> None:
    client.force_login(make_staff("viewer"))
    assert client.post(f"{URL}preview/", {}).status_code == 403
