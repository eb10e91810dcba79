"""The pages of a batch from the recipients to the progress, and their permissions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.validators import MaxLengthValidator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import Settings

from messaging import do_not_send
from messaging.admin.batch_forms import NewBatchForm
from messaging.admin.batch_page import fingerprint
from messaging.batches import create, lifecycle, resend, tasks
from messaging.models import Batch, FilePart, Message, StagedRow, Template
from providers import accounts
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.messages import TEXT, make_message
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
NEW = "/messaging/batch/new/"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def page_of(batch: Batch, name: str = "change") -> str:
    return reverse(f"admin:messaging_batch_{name}", args=[batch.public_id])


def confirm(browser: Client, batch: Batch, **data: str) -> Any:
    """Submit the confirmation page in its current state."""
    batch.refresh_from_db()
    data = {"when": "now", "seen": fingerprint(batch), **data}
    return browser.post(page_of(batch, "confirm"), data, follow=True)


def fields(account: object, **more: object) -> dict[str, object]:
    return {
        "account": account.public_id,  # type: ignore[attr-defined]
        "sms_kind": "T",
        "sender_id": "HAORUI",
        "text": "Your parcel is here.",
        "form_token": "token",
        **more,
    }


def test_pasted_list_is_refused_whole_rather_than_cut(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account()
    tags = re.findall(r"<textarea[^>]*>", browser.get(NEW).content.decode())
    assert [tag for tag in tags if "maxlength" in tag] == []
    validators = NewBatchForm.base_fields["pasted"].validators
    [limit] = [one for one in validators if isinstance(one, MaxLengthValidator)]
    monkeypatch.setattr(limit, "limit_value", 20)
    page = browser.post(NEW, fields(account, pasted=numbers(3))).content.decode()
    assert "At most 20 characters can be pasted" in page
    assert not Batch.objects.exists()


def test_batch_of_a_paused_account_can_be_prepared(browser: Client) -> None:
    account = make_account()
    accounts.pause(account, "by_hand")
    page = browser.get(NEW).content.decode()
    option = page[page.index(f'<option value="{account.public_id}"') :].partition("</option>")[0]
    assert "disabled" not in option
    assert f"{account.name} – paused" in option
    assert "will wait until the account is resumed" in page
    assert browser.post(NEW, fields(account, pasted=numbers(1))).status_code == 302


def test_pasted_recipients_are_checked_confirmed_and_sent(browser: Client) -> None:
    account = make_account(price_per_segment="0.04")
    answer = browser.post(NEW, fields(account, pasted=numbers(3) + "\n12\n" + numbers(1)))
    batch = Batch.objects.get()
    assert answer["Location"] == page_of(batch)
    assert "Reading" in browser.get(page_of(batch)).content.decode()
    tasks.read(batch.pk)
    page = browser.get(page_of(batch)).content.decode()
    assert "Continue with 3" in page
    assert "The same number as in row 1." in page
    shown = browser.get(page_of(batch, "confirm")).content.decode()
    assert "About 0.12" in shown
    assert "at 270 a minute" not in shown
    answer = confirm(browser, batch)
    assert "3 messages are being sent." in answer.content.decode()
    tasks.lay_out(batch.pk)
    assert "0 of 3 sent" in browser.get(page_of(batch, "live")).content.decode()


def test_file_columns_fill_the_placeholders_of_the_text(browser: Client) -> None:
    content = "Name,Phone\nAnna,13900000001\nBo,13900000002\n,13900000003\n"
    file = SimpleUploadedFile("people.csv", content.encode())
    browser.post(NEW, fields(make_account(), text="Dear {name}!", file=file))
    batch = Batch.objects.get()
    tasks.read(batch.pk)
    texts = list(StagedRow.objects.filter(verdict="good").values_list("text", flat=True))
    assert texts == ["Dear Anna!", "Dear Bo!"]
    page = browser.get(page_of(batch)).content.decode()
    assert "The column “name”, used in the text, is empty in this row." in page
    assert "Dear Bo!" in browser.get(page_of(batch, "row"), {"row": "1"}).content.decode()


def test_submitting_the_form_twice_creates_one_batch(browser: Client) -> None:
    data = fields(make_account(), pasted=numbers(2))
    first, second = browser.post(NEW, data), browser.post(NEW, data)
    assert first["Location"] == second["Location"]
    assert Batch.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "Paste the recipients, or choose a file."),
        ({"pasted": "1", "file": SimpleUploadedFile("a.csv", b"1")}, "not both"),
        ({"pasted": "1", "text": "  "}, "Enter the text."),
    ],
)
def test_form_errors_are_shown_and_no_batch_is_created(
    browser: Client, more: dict[str, object], words: str
) -> None:
    page = browser.post(NEW, fields(make_account(), **more)).content.decode()
    assert words in page
    assert not Batch.objects.exists()


def test_oversized_uploads_are_refused(browser: Client, settings: Settings) -> None:
    settings.BATCH_MEGABYTES = 1
    account = make_account()
    large = SimpleUploadedFile("a.csv", b"1" * 1_100_000)
    page = browser.post(NEW, fields(account, file=large)).content.decode()
    assert "The file is larger than 1 MB. Split it." in page
    huge = SimpleUploadedFile("a.csv", b"1" * 2_200_000)
    assert browser.post(NEW, fields(account, file=huge)).status_code == 413


def test_another_column_and_text_are_checked_again(browser: Client) -> None:
    content = b"a,b\n13900000001,13700000001\n13900000002,13700000002\n"
    batch = make_batch(content)
    browser.post(page_of(batch, "check"), {"number_column": "1", "text": "Hello {a}"})
    tasks.read(batch.pk)
    row = StagedRow.objects.first()
    assert row is not None
    assert (row.recipient, row.text) == ("+8613700000001", "Hello 13900000001")


def test_a_duplicate_batch_needs_one_confirmation(browser: Client) -> None:
    account = make_account()
    earlier = start_batch(make_batch(numbers(3), account))
    batch = make_batch("\n".join(reversed(numbers(3).split("\n"))), account)
    page = strip_tags(confirm(browser, batch).content.decode())
    assert "sent the same to" in page
    assert f"{earlier.answerable} sent the same to 3 numbers" in page
    batch.refresh_from_db()
    assert batch.state == "ready"
    confirm(browser, batch, confirmed=earlier.public_id)
    batch.refresh_from_db()
    assert batch.state == "sending"


def test_a_scheduled_duplicate_causes_a_warning(browser: Client) -> None:
    earlier = make_batch(numbers(3))
    lifecycle.schedule(earlier, earlier.created_by, timezone.now() + timedelta(days=1))
    page = confirm(browser, make_batch(numbers(3))).content.decode()
    assert "has scheduled the same to" in page


def test_confirmation_must_match_the_count_of_recipients_who_have_the_text(browser: Client) -> None:
    account = make_account()
    start_batch(make_batch(numbers(3), account))
    make_message(account, recipient="+8613900000003", text=TEXT)
    make_message(account, recipient="+8613900000004", text=TEXT, state="cancelled")
    batch = make_batch(numbers(5, start=1), account)
    page = confirm(browser, batch).content.decode()
    assert "3 of 5 recipients received the same text in the last 7 days" in page
    confirm(browser, batch, confirmed="2")
    batch.refresh_from_db()
    assert batch.state == "ready"
    confirm(browser, batch, confirmed="3")
    batch.refresh_from_db()
    assert batch.state == "sending"


def test_another_text_to_the_same_numbers_causes_no_warning(browser: Client) -> None:
    account = make_account()
    start_batch(make_batch(b"name,phone\nAl,13900000001\n", account, text="Dear {name}"))
    batch = make_batch(b"name,phone\nBo,13900000001\n", account, text="Dear {name}!")
    assert "1 message is being sent." in confirm(browser, batch).content.decode()


def test_a_batch_that_was_checked_again_must_be_reviewed_again(browser: Client) -> None:
    batch = make_batch(numbers(3))
    old = fingerprint(batch)
    create.recheck(batch, text="Another text.", number_column=None)
    tasks.read(batch.pk)
    page = confirm(browser, batch, seen=old).content.decode()
    assert "This batch has been checked again since you opened it." in page
    assert "Another text." in page
    batch.refresh_from_db()
    assert batch.state == "ready"


def test_a_start_time_in_the_past_is_rejected(browser: Client) -> None:
    batch = make_batch(numbers(1))
    data = {"when": "later", "day": "2020-01-01", "clock": "10:00"}
    page = confirm(browser, batch, **data).content.decode()
    assert "This time has passed." in page
    data["day"] = f"{timezone.localtime() + timedelta(days=1):%Y-%m-%d}"
    confirm(browser, batch, **data)
    batch.refresh_from_db()
    assert batch.state == "scheduled"


def test_a_missing_start_time_is_reported_beside_its_field(browser: Client) -> None:
    batch = make_batch(numbers(1))
    page = confirm(browser, batch, when="later", day="2026-01-01").content.decode()
    assert page.count("Enter a time.") == 2
    assert 'aria-describedby="id_clock_helptext id_clock_error"' in page


def test_uploading_again_prefills_the_text(browser: Client) -> None:
    batch = make_batch(b"no numbers\n1\n", text="Dear {Name}, it is here.")
    page = browser.get(page_of(batch)).content.decode()
    (url,) = re.findall(r'href="([^"]*like=[^"]*)"', page)
    form = browser.get(url.replace("&amp;", "&")).content.decode()
    assert "Dear {Name}, it is here.</textarea>" in form


def test_pause_continue_and_cancel_change_the_state(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(2)))
    for name, state in (("pause", "paused"), ("continue", "sending"), ("cancel", "cancelled")):
        browser.post(page_of(batch, name))
        batch.refresh_from_db()
        assert batch.state == state
    late = browser.post(page_of(batch, "pause"), follow=True).content.decode()
    assert "No change: the batch is already in another state." in late


@pytest.mark.parametrize(
    ("language", "out", "words"),
    [
        ("en", 2, "2 messages have been sent and cannot be recalled. Cancel the other 3?"),
        ("en", 1, "1 message has been sent and cannot be recalled. Cancel the other 4?"),
        ("en", 0, "Nothing has been sent yet. Cancel all 5?"),
        ("en", 5, "Nothing to cancel: no messages are waiting."),
        ("zh-hans", 2, "已发出的 2 条无法撤回。取消其余 3 条？"),
        ("zh-hans", 0, "尚未发出任何短信。取消全部 5 条？"),
    ],
)
def test_the_cancel_dialog_shows_current_counts(
    browser: Client, language: str, out: int, words: str
) -> None:
    batch = start_batch(make_batch(numbers(5)))
    browser.cookies["django_language"] = language
    for index, message in enumerate(Message.objects.all()[:out]):
        state = "sending" if index else "submitted"
        Message.objects.filter(pk=message.pk).update(state=state)
    page = browser.get(page_of(batch)).content.decode()
    assert f'<p id="cancel-words">{words}</p>' in page
    fragment = browser.get(page_of(batch, "live")).content.decode()
    assert f'<p id="cancel-words" hx-swap-oob="true">{words}</p>' in fragment


@pytest.mark.parametrize(
    "name", ["confirm", "check", "pause", "continue", "cancel", "again", "unschedule"]
)
def test_actions_require_the_bulk_permission(client: Client, name: str) -> None:
    batch = start_batch(make_batch(numbers(1)))
    client.force_login(make_staff("operator"))
    assert client.post(page_of(batch, name)).status_code == 403
    batch.refresh_from_db()
    assert batch.state == "sending"


def test_a_viewer_sees_no_numbers_and_no_texts(client: Client) -> None:
    batch = make_batch(b"name,phone\nAnna,13912345678\nBo,139123456789\n", text="Dear {name}")
    client.force_login(make_staff("viewer"))
    page = client.get(page_of(batch)).content.decode()
    row = client.get(page_of(batch, "row")).content.decode()
    for hidden in ("13912345678", "139123456789", "Dear Anna"):
        assert hidden not in page + row
    assert client.get(page_of(batch, "report")).status_code == 403
    assert client.get(NEW).status_code == 403


def test_the_report_lists_faulty_rows_and_escapes_formulas(browser: Client) -> None:
    batch = make_batch(b"phone,x\n13912345678,1\n=cmd|' /C calc'!A0,2\n1.39123E+10,3\n")
    batch.created_by = Batch.objects.get().created_by
    answer = browser.get(page_of(batch, "report"))
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "Excel shortened this number (1.39123E+10)." in text
    assert '"=cmd' not in text
    assert text.count("\n") == 3


def test_the_file_is_deleted_when_the_batch_starts() -> None:
    batch = make_batch(b"phone\n13912345678\n")
    assert FilePart.objects.exists()
    lifecycle.start(batch, batch.created_by)
    assert not FilePart.objects.exists()


def test_undelivered_messages_are_resent_in_a_linked_batch(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(3)))
    Message.objects.filter(batch_row=1).update(state="undelivered")
    Message.objects.exclude(batch_row=1).update(state="delivered")
    lifecycle.finish_completed()
    page = browser.get(page_of(batch)).content.decode()
    assert "Send 1 undelivered again…" in page
    browser.post(page_of(batch, "again"), {"form_token": "again"})
    new = Batch.objects.get(sent_again_from=batch)
    tasks.read(new.pk)
    new.refresh_from_db()
    start_batch(new)
    message = Message.objects.get(batch=new)
    assert message.sent_again_from == Message.objects.get(batch=batch, batch_row=1)


def test_two_resends_of_the_same_batch_send_once(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(1)))
    Message.objects.update(state="undelivered")
    lifecycle.finish_completed()
    for token in ("one", "two"):
        browser.post(page_of(batch, "again"), {"form_token": token})
    for new in Batch.objects.filter(sent_again_from=batch):
        tasks.read(new.pk)
    for new in Batch.objects.filter(sent_again_from=batch):
        start_batch(new)
    repeated = Message.objects.exclude(batch=batch).order_by("pk")
    assert list(repeated.values_list("state", flat=True)) == ["queued", "cancelled"]


def test_a_resend_reveals_no_numbers_to_its_creator(client: Client) -> None:
    lost = make_message(make_account(), recipient="+8613912345678", state="undelivered")
    by = make_user("messaging.bulk_message", "messaging.view_batch", "messaging.view_message")
    batch = resend.resend_messages(Message.objects.all(), by, "again")
    do_not_send.add(lost.recipient, "asked", by)
    tasks.read(batch.pk)
    client.force_login(by)
    report = client.get(page_of(batch, "report"))
    report_text = b"".join(report.streaming_content).decode()  # type: ignore[attr-defined]
    seen = client.get(page_of(batch)).content.decode() + report_text
    assert "On the do-not-send list." in seen
    assert "13912345678" not in seen


def test_chosen_messages_are_resent_as_a_batch(browser: Client) -> None:
    account = make_account()
    lost = [
        make_message(account, recipient=f"+861391234567{i}", state="undelivered") for i in range(2)
    ]
    there = make_message(account, state="delivered")
    chosen = [str(message.pk) for message in (*lost, there)]
    data = {"action": "send_again_as_batch", "_selected_action": chosen}
    answer = browser.post("/messaging/message/", data)
    batch = Batch.objects.get()
    assert answer["Location"] == page_of(batch, "confirm")
    tasks.read(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.good) == ("ready", 2)


def test_figures_link_to_their_messages(browser: Client) -> None:
    batch = start_batch(make_batch(numbers(3)))
    Message.objects.filter(batch_row=1).update(state="delivered")
    make_message()
    page = browser.get(page_of(batch)).content.decode()
    (url,) = set(re.findall(r'href="([^"]+shown=delivered[^"]*)"', page))
    assert browser.get(url.replace("&amp;", "&")).context["cl"].result_count == 1


def test_the_text_size_excludes_placeholder_values(browser: Client) -> None:
    account = make_account(price_per_segment="0.04")
    data = {"account": account.public_id, "text": "Dear {姓名}, it’s here."}
    size = browser.post("/messaging/batch/new/size/", data).content.decode()
    assert "1 segment · Unicode · 53 characters left in this segment" in " ".join(size.split())
    assert "Unicode because of this character:" in size
    assert "“’” (position 14)" in size
    assert "About 0.04 per recipient" in size
    assert "Column values add to this" in size


def test_a_text_over_the_segment_limit_is_refused(
    browser: Client,
) -> None:
    data = fields(make_account(), text="a" * 1600, pasted=numbers(1))
    assert "The text may have at most 10 segments" in browser.post(NEW, data).content.decode()
    assert not Batch.objects.exists()


def test_templates_are_offered_with_their_text(browser: Client) -> None:
    make_account()
    Template.objects.create(name="Parcel", text="Dear {Name}, it is here.")
    page = browser.get(NEW).content.decode()
    assert 'data-text="Dear {Name}, it is here."' in page


def test_the_page_shows_when_no_account_can_send(client: Client) -> None:
    client.force_login(make_user("messaging.bulk_message"))
    assert "No account is set up for this yet." in client.get(NEW).content.decode()
