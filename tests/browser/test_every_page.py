"""Every page has the right language, fits a phone and causes no errors in the browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from lookup import notes
from lookup.note_kinds import subject_of
from messaging.models import Message
from providers.accounts import new_callback_token
from providers.models import Account, ApiCall, Callback, Host
from rentals.models import Finding
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, start_batch
from tests.factories.codes import WRONG, make_sent_session, try_code
from tests.factories.messages import make_message
from tests.factories.orders import make_rented

from .conftest import LANGUAGES, Engine, MakeVisitor
from .pages import AnyPage, SendForm, SignIn

PHONE_WIDTH = 390
LONG = "A name as long as a name may be, and with_no_break_in_its_end_64"


def fill_every_page(sandbox: Sandbox) -> dict[str, str]:
    """Create a row of each kind with long values. Returns all pages by name with their URLs."""
    account = make_account("gosms", sandbox, name=LONG)
    Account.objects.filter(pk=account.pk).update(
        paused_at=timezone.now(), pause_reason="by_hand", pause_words="w" * 200
    )
    sender = make_account("haorui", sandbox)
    message = make_message(sender, text="x" * 300 + " https://example.com/" + "y" * 100)
    Message.objects.filter(pk=message.pk).update(
        state="unknown", reason="unreadable", words="z" * 500, provider_id="9" * 40
    )
    session = make_sent_session(
        sender, recipient="13912345679", provider_says_verified_at=timezone.now()
    )
    try_code(session, WRONG)
    failed = make_sent_session(
        sender, recipient="13912345670", state="failed", reason="other_refusal"
    )
    Message.objects.filter(sent_code__session=failed).update(
        state="refused", reason="other_refusal", words="z" * 500
    )
    order = make_rented(account, project="p" * 64, words="w" * 500, warnings=["other_project"])
    row = {"account": account, "about": order.provider_id, "order": order}
    finding = Finding.objects.create(kind="price_differs", **row)
    call = ApiCall.objects.create(
        account=account,
        operation="fetch_balance",
        started_at=timezone.now(),
        duration=0.7,
        method="GET",
        url="https://api.example.com/" + "p" * 300,
        http_status=200,
        outcome="done",
        answer_body="{" + "a" * 2000 + "}",
    )
    callback = Callback.objects.create(
        account=sender,
        digest="d",
        method="POST",
        query="q" * 300,
        body=b"{" + b"b" * 2000,
        state="unmatched",
        words="w" * 300,
        outcomes=[{"state": "unmatched", "words": "o" * 200}] * 2,
        events=2,
    )
    new_callback_token(sender)
    Host.objects.create(name="h" * 60, version="1.0.0", cores=2, load=1.0, memory=10**9)
    staff = User.objects.create_user("s" * 60, password="secret", is_staff=True)
    role = Group.objects.get(name="manager")
    for noted in (message, session, order):
        subject = subject_of(noted)
        assert subject
        notes.add(subject, "n" * 500, by=staff, to=staff)
    ready = make_batch(("9" * 100 + "\n13912345678").encode(), sender, file_name="f" * 150)
    running = start_batch(make_batch("13912345678", sender, text="x" * 300))
    names = {
        "dashboard": "admin:index",
        "hand-over": "admin:hand_over",
        "money words": "admin:money_words",
        "handbook": "admin:handbook",
        "send": "admin:messaging_message_send",
        "messages": "admin:messaging_message_changelist",
        "send code": "admin:otp_session_send",
        "codes": "admin:otp_session_changelist",
        "figures": "admin:otp_session_figures",
        "batches": "admin:messaging_batch_changelist",
        "new batch": "admin:messaging_batch_new",
        "templates": "admin:messaging_template_changelist",
        "new template": "admin:messaging_template_add",
        "do-not-send list": "admin:messaging_donotsend_changelist",
        "new do-not-send entry": "admin:messaging_donotsend_add_numbers",
        "caps": "admin:providers_dailylimit_changelist",
        "new cap": "admin:providers_dailylimit_add",
        "exemptions": "admin:providers_capexemption_changelist",
        "new exemption": "admin:providers_capexemption_exempt",
        "rent": "admin:rentals_order_rent",
        "open orders": "admin:rentals_order_board",
        "orders": "admin:rentals_order_changelist",
        "orders placed outside the portal": "admin:rentals_order_found",
        "transactions": "admin:rentals_transaction_changelist",
        "ledger": "admin:rentals_finding_changelist",
        "apps": "admin:rentals_project_changelist",
        "new app": "admin:rentals_project_add",
        "countries": "admin:rentals_region_changelist",
        "accounts": "admin:providers_account_changelist",
        "choose": "admin:providers_account_add",
        "calls": "admin:providers_apicall_changelist",
        "callbacks": "admin:providers_callback_changelist",
        "hosts": "admin:hosts",
        "staff": "admin:auth_user_changelist",
        "new staff": "admin:auth_user_add",
        "roles": "admin:auth_group_changelist",
        "what waits": "admin:hold",
        "practice": "admin:practice",
        "notices": "admin:notices",
        "password": "admin:password_change",
        "queue": "admin:django_q_ormq_changelist",
        "failed tasks": "admin:django_q_failure_changelist",
        "schedules": "admin:django_q_schedule_changelist",
        "sign-ins": "admin:axes_accesslog_changelist",
        "changes": "admin:auditlog_logentry_changelist",
    }
    return {
        **{name: reverse(url_name) for name, url_name in names.items()},
        "new account": reverse("admin:providers_account_add") + "?provider=haosms",
        "handbook page": reverse("admin:handbook_page", args=["operators", "install"]),
        "message": reverse("admin:messaging_message_change", args=[message.public_id]),
        "session": reverse("admin:otp_session_change", args=[session.public_id]),
        "failed session": reverse("admin:otp_session_change", args=[failed.public_id]),
        "order": reverse("admin:rentals_order_change", args=[order.public_id]),
        "finding": reverse("admin:rentals_finding_change", args=[finding.public_id]),
        "account": reverse("admin:providers_account_change", args=[account.public_id]),
        "pause": reverse("admin:providers_account_pause", args=[sender.public_id]),
        "callback": reverse("admin:providers_callback_change", args=[callback.public_id]),
        "sender": reverse("admin:providers_account_change", args=[sender.public_id]),
        "call": reverse("admin:providers_apicall_change", args=[call.pk]),
        "own list": reverse("admin:own_list", args=["messaging.message"]) + "?shown=queued",
        "staff member": reverse("admin:auth_user_change", args=[staff.pk]),
        "role": reverse("admin:auth_group_change", args=[role.pk]),
        "batch to check": reverse("admin:messaging_batch_change", args=[ready.public_id]),
        "batch to confirm": reverse("admin:messaging_batch_confirm", args=[ready.public_id]),
        "running batch": reverse("admin:messaging_batch_change", args=[running.public_id]),
        "empty list": reverse("admin:messaging_message_changelist") + "?q=nothing",
    }


@pytest.mark.any_database
@pytest.mark.parametrize("language", ["en", pytest.param("zh-hans", marks=pytest.mark.long)])
def test_no_page_is_wider_than_a_phone(
    language: str, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    addresses = fill_every_page(sandbox)
    visitor = make_visitor("superuser", language=language, width=PHONE_WIDTH)
    wide, faulty = {}, {}
    for name, address in addresses.items():
        answer = visitor.page.goto(address)
        page = AnyPage(visitor.page)
        if overflow := page.overflow():
            wide[name] = overflow
        if answer is None or answer.status != 200 or page.language != language:
            faulty[name] = (answer and answer.status, page.language)
    assert faulty == {}
    assert wide == {}


@pytest.mark.any_database
def test_broken_and_clipped_buttons_are_found(make_visitor: MakeVisitor) -> None:
    page = make_visitor().page
    page.set_content(
        "<button style='width: 60px'>Two words</button>"
        "<button style='width: 60px; white-space: nowrap; overflow: hidden'>"
        "Three long words</button>"
        "<button>Fits</button><button hidden>Two hidden words</button>"
    )
    assert AnyPage(page).faulty_buttons() == [
        "two lines: Two words",
        "does not fit: Three long words",
    ]


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("width", [PHONE_WIDTH, pytest.param(1280, marks=pytest.mark.long)])
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "zh-hans"])
def test_page_fits_and_so_does_the_text_of_each_button(
    language: str, width: int, make_visitor: MakeVisitor, sandbox: Sandbox
) -> None:
    addresses = fill_every_page(sandbox)
    visitor = make_visitor("superuser", language=language, width=width)
    faulty = {}
    for name, address in addresses.items():
        visitor.page.goto(address)
        page = AnyPage(visitor.page)
        if found := page.faulty_buttons() or page.overflow():
            faulty[name] = found
    assert faulty == {}


@pytest.mark.any_database
@pytest.mark.parametrize("language", LANGUAGES)
def test_sign_in_and_error_pages_fit_a_phone(language: str, make_visitor: MakeVisitor) -> None:
    stranger = make_visitor(language=language, width=PHONE_WIDTH)
    signing_in = SignIn.of(stranger)
    signing_in.sign_in("nobody", "wrong")
    assert (signing_in.overflow(), signing_in.language) == (0, language)
    visitor = make_visitor("viewer", language=language, width=PHONE_WIDTH)
    for address, status in (("/nothing/here/", 404), (reverse("admin:auth_user_changelist"), 403)):
        with visitor.expecting(str(status)):
            answer = visitor.page.goto(address)
        assert answer is not None
        assert answer.status == status
        assert AnyPage(visitor.page).overflow() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_message_from_sign_in_to_accepted(
    language: str, make_visitor: MakeVisitor, sandbox: Sandbox, engine: Engine
) -> None:
    """Elements are found by selector, so that one test covers both languages."""
    staff = User.objects.create_user("operator", password="secret", is_staff=True)
    staff.groups.add(Group.objects.get(name="operator"))
    make_account("haorui", sandbox)
    engine.start()
    visitor = make_visitor(language=language)
    inside = SignIn.of(visitor).sign_in("operator", "secret")
    inside.page.wait_for_selector(".user-opener")
    form = SendForm.of(visitor).fill("139 1234 5678", "您的包裹已到。")
    page = form.send().wait_until_open()
    page.page.wait_for_function(
        "document.querySelector('.status-line').textContent.includes('outbound')"
    )
    assert page.language == language
    assert page.message.state == "submitted"
    assert len(sandbox.book.entries("haorui", accepted=True)) == 1


@pytest.mark.any_database
def test_sidebar_scrolls_to_the_open_page_in_a_low_window(make_visitor: MakeVisitor) -> None:
    visitor = make_visitor("superuser")
    visitor.page.set_viewport_size({"width": 1280, "height": 420})
    visitor.page.goto(reverse("admin:auth_user_changelist"))
    here = visitor.page.locator("#nav-sidebar-apps a.active")
    expect(here).to_be_in_viewport()
    # The entry must be visible because the sidebar itself scrolled.
    assert visitor.page.locator("#nav-sidebar-apps").evaluate("bar => bar.scrollTop") > 0
