"""Whole numbers, texts and codes: shown only to the person who typed or rented them.

`TABLE` says for each kind of object, relation of the reader to it, and age, whether the reader sees
it whole. It holds for every role that may see the object at all; no role sees more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeAlias

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from core.visibility import OWN_VISIBLE_FOR, may_export_whole, may_reveal, may_see_whole
from messaging import queue_message, settle_outcome
from messaging.batches import resend
from messaging.models import Batch, Message
from otp import sessions
from otp.models import Session
from providers import clock
from rentals import hand_overs
from rentals.models import Order
from tests.factories.batches import make_batch, start_batch
from tests.factories.codes import end_send_gap, make_sent_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff, make_user
from tests.support.signed_in import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ROLES: Final = ("nobody", "viewer", "operator", "manager", "auditor", "superuser")
REVEALERS: Final = {"manager", "superuser"}
Make: TypeAlias = Callable[[User], Model]


def person(role: str) -> User:
    if role == "superuser":
        return make_user(is_superuser=True)
    return make_user() if role == "nobody" else make_staff(role)


# --- relations: each makes an object to which the reader stands so ------------------------


def typed(reader: User) -> Message:
    return make_message(by=reader)


def of_another(reader: User) -> Message:
    return make_message()


def cancelled_by_reader(reader: User) -> Message:
    message = make_message()
    assert queue_message.cancel(message, reader)
    message.refresh_from_db()
    return message


def cancelled_and_sent_again(reader: User) -> Message:
    return again(cancelled_by_reader(reader), reader)


def undelivered_and_sent_again(reader: User) -> Message:
    return again(make_message(state="undelivered"), reader)


def sent_again_twice(reader: User) -> Message:
    first = undelivered_and_sent_again(reader)
    Message.objects.filter(pk=first.pk).update(state="undelivered")
    first.refresh_from_db()
    return again(first, reader)


def own_sent_again(reader: User) -> Message:
    return again(make_message(state="undelivered", by=reader), reader)


def own_sent_again_by_another(reader: User) -> Message:
    return again(make_message(state="undelivered", by=reader), make_user())


def again(message: Message, by: User) -> Message:
    repeat, created = settle_outcome.send_again(message, by, f"again{message.pk}")
    assert created
    return repeat


def laid_out_from_own_batch(reader: User) -> Message:
    start_batch(make_batch("13912345678", by=reader))
    return Message.objects.get(batch__isnull=False)


def own_session(reader: User) -> Session:
    return make_sent_session(by=reader)


def session_of_another(reader: User) -> Session:
    return make_sent_session()


def resent_in_session_of_another(reader: User) -> Session:
    session = make_sent_session()
    end_send_gap()
    assert sessions.resend(session, session.account, by=reader, form_token="more")[1]
    session.refresh_from_db()
    return session


def code_resent_by_reader(reader: User) -> Message:
    message = resent_in_session_of_another(reader).newest_code().message
    assert message.created_by == reader
    return message


def code_of_own_session(reader: User) -> Message:
    return own_session(reader).newest_code().message


def code_resent_in_own_session(reader: User) -> Message:
    session = own_session(reader)
    end_send_gap()
    sessions.resend(session, session.account, by=make_user(), form_token="more")
    return session.newest_code().message


def cancelled_session_of_another(reader: User) -> Session:
    session = make_sent_session()
    assert sessions.cancel(session, reader)
    session.refresh_from_db()
    return session


def own_batch(reader: User) -> Batch:
    return make_batch("13912345678", by=reader)


def batch_of_another(reader: User) -> Batch:
    return make_batch("13912345678")


def own_batch_started(reader: User) -> Batch:
    return start_batch(own_batch(reader))


def resend_of_batch(reader: User) -> Batch:
    batch = start_batch(make_batch("13912345678"))
    return resend.resend_batch(batch, reader, "resend")


def rented(reader: User) -> Order:
    return make_rented(by=reader)


def rented_by_another(reader: User) -> Order:
    return make_rented()


def handed_to_reader(reader: User) -> Order:
    order = make_rented()
    hand_overs.hand_over(order, reader, by=make_user())
    order.refresh_from_db()
    return order


def handed_on_by_reader(reader: User) -> Order:
    order = handed_to_reader(reader)
    hand_overs.hand_over(order, make_user(), by=reader)
    order.refresh_from_db()
    return order


def rented_and_handed_on(reader: User) -> Order:
    order = make_rented(by=reader)
    hand_overs.hand_over(order, make_user(), by=reader)
    order.refresh_from_db()
    return order


TABLE: Final[dict[Make, tuple[bool, bool]]] = {
    # made by:                      (now, later)
    typed: (True, False),
    of_another: (False, False),
    cancelled_by_reader: (False, False),
    cancelled_and_sent_again: (False, False),
    undelivered_and_sent_again: (False, False),
    sent_again_twice: (False, False),
    own_sent_again: (True, False),
    own_sent_again_by_another: (True, False),
    laid_out_from_own_batch: (False, False),
    own_session: (True, False),
    session_of_another: (False, False),
    resent_in_session_of_another: (False, False),
    cancelled_session_of_another: (False, False),
    code_of_own_session: (True, False),
    code_resent_in_own_session: (True, False),
    code_resent_by_reader: (False, False),
    own_batch: (True, True),
    batch_of_another: (False, False),
    own_batch_started: (False, False),
    resend_of_batch: (False, False),
    rented: (True, True),
    rented_by_another: (False, False),
    handed_to_reader: (True, True),
    handed_on_by_reader: (False, False),
    rented_and_handed_on: (True, True),
}
VIEW: Final = {
    Message: "messaging.view_message",
    Session: "otp.view_session",
    Batch: "messaging.view_batch",
    Order: "rentals.view_order",
}


def grow_old(obj: Model) -> Model:
    long_ago = clock.now() - OWN_VISIBLE_FOR
    if isinstance(obj, Message):
        # Sending again does not make it young.
        Message.objects.filter(pk=obj.pk).update(typed_at=long_ago)
    else:
        type(obj).objects.filter(pk=obj.pk).update(created_at=long_ago)  # type: ignore[attr-defined]
    obj.refresh_from_db()
    return obj


@pytest.mark.parametrize("make", TABLE, ids=lambda make: make.__name__)
@pytest.mark.parametrize("role", ROLES)
def test_whole_for_whom_and_how_long(role: str, make: Make) -> None:
    reader = person(role)
    obj = make(reader)
    may_view = reader.has_perm(VIEW[type(obj)])
    assert may_view == (role != "nobody")
    now, later = (may_view and whole for whole in TABLE[make])
    assert may_see_whole(obj, reader) is now
    assert may_reveal(type(obj), reader) is (role in REVEALERS)
    assert may_export_whole(obj, reader) is (now or role in REVEALERS)
    assert may_see_whole(grow_old(obj), reader) is later


def test_age_of_a_message_sent_again_counts_from_the_first() -> None:
    reader = make_staff("operator")
    first = make_message(state="undelivered", by=reader)
    Message.objects.filter(pk=first.pk).update(
        typed_at=clock.now() - OWN_VISIBLE_FOR + timedelta(minutes=1)
    )
    first.refresh_from_db()
    repeat = again(first, reader)
    assert may_see_whole(repeat, reader)
    assert repeat.typed_at == first.typed_at


# --- the pages --------------------------------------------------------------------------

HIDDEN: Final = ("139 1234 5678", "13912345678", "12345678", "812-3456-7890", "81234567890")


def pages_of(obj: Model) -> list[str]:
    """Every page and file that shows something of an object."""
    opts = obj._meta
    name = f"admin:{opts.app_label}_{opts.model_name}"
    public_id: str = obj.public_id  # type: ignore[attr-defined]
    found = [
        reverse(f"{name}_change", args=[public_id]),
        reverse(f"{name}_live", args=[public_id]),
        reverse(f"{name}_changelist"),
    ]
    if not isinstance(obj, Batch):
        found.append(f"{reverse(f'{name}_changes')}?ids={obj.pk}")
    if isinstance(obj, Message):
        found.append(f"{reverse('admin:messaging_message_send')}?to={public_id}")
    if isinstance(obj, Session):
        found.append(f"{reverse('admin:otp_session_send')}?like={public_id}")
        message = obj.newest_code().message
        found += pages_of(message)
    if isinstance(obj, Batch):
        found += [reverse(f"{name}_{page}", args=[public_id]) for page in ("row", "confirm")]
    if isinstance(obj, Order):
        found += [
            reverse("admin:rentals_order_board"),
            reverse("admin:rentals_order_board_changes"),
        ]
    return found


def seen_whole(browser: Client, obj: Model) -> list[str]:
    shown = []
    for page in pages_of(obj):
        answer = browser.get(page)
        text = b"".join(answer) if answer.streaming else answer.content
        if any(hidden in text.decode() for hidden in HIDDEN):
            shown.append(page)
    return shown


@pytest.mark.parametrize("make", TABLE, ids=lambda make: make.__name__)
def test_no_page_shows_more(make: Make) -> None:
    # The manager may open all of these pages, and may reveal; nothing is whole without doing so.
    reader = make_staff("manager")
    obj = make(reader)
    shown = seen_whole(browser_of(reader), obj)
    assert bool(shown) is (TABLE[make][0] and not isinstance(obj, Batch)), shown


# --- by the buttons -----------------------------------------------------------------------


def test_operator_sees_no_more_by_the_button_send_again() -> None:
    operator = make_staff("operator")
    browser = browser_of(operator)
    message = make_message(state="undelivered", text="For your eyes only.")
    url = reverse("admin:messaging_message_again", args=[message.public_id])
    answer = browser.post(url, {"form_token": "again"}, follow=True)
    page = answer.content.decode()
    assert Message.objects.get(sent_again_from=message).created_by == operator
    assert "+86 139 •••• 5678" in page
    assert "139 1234 5678" not in page
    assert "For your eyes only." not in page


def test_operator_sees_no_more_by_a_new_code_in_the_session_of_another() -> None:
    operator = make_staff("operator")
    browser = browser_of(operator)
    session = make_sent_session()
    end_send_gap()
    url = reverse("admin:otp_session_again", args=[session.public_id])
    fields = {"account": session.account.public_id, "form_token": "again"}
    browser.post(url, fields)
    message = session.newest_code().message
    assert message.created_by == operator
    page = browser.get(reverse("admin:messaging_message_change", args=[message.public_id]))
    assert "139 1234 5678" not in page.content.decode()


@pytest.mark.parametrize("reveal", ["messaging_message", "otp_session", "rentals_order"])
def test_reveal_needs_the_permission_to_see_the_object(reveal: str) -> None:
    obj: Any = {
        "messaging_message": make_message,
        "otp_session": make_sent_session,
        "rentals_order": make_rented,
    }[reveal]()
    browser = browser_of(make_user("messaging.reveal_message", "rentals.reveal_order"))
    url = reverse(f"admin:{reveal}_reveal", args=[obj.public_id])
    assert browser.post(url, {"reason": "customer"}).status_code == 403
