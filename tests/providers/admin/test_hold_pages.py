"""The page "What waits", its fragments and its export."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.acts import record_act
from core.models import Act
from core.stored_texts import from_staff
from providers.models import Hold
from providers.presentation.hold_view import PERMISSION, banner
from smsportal.rights.roles import ROLES
from tests.factories.staff import make_user
from tests.support.held import FakeHoldable
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
PAGE = "/what-waits/"
LIVE, CHECK, EXPORT = (f"{PAGE}{name}/" for name in ("live", "check", "export"))
ROWS = f"{PAGE}rows/fake:1/"
CHOICE = "choice-fake:1"


@pytest.fixture
def manager() -> User:
    return member("manager")


@pytest.fixture
def browser(manager: User) -> Client:
    return browser_of(manager)


def shown(browser: Client, address: str = PAGE) -> str:
    return browser.get(address).content.decode()


def decisions(hold: Hold, **more: object) -> dict[str, object]:
    return {"hold": hold.pk, CHOICE: "send", "reason": "The senders say so", **more}


def confirmed(hold: Hold, **more: object) -> dict[str, object]:
    return decisions(hold, confirmed="yes", **more)


# --- who may ---------------------------------------------------------------
@pytest.mark.parametrize("role", [*ROLES, ""])
def test_only_managers_reach_any_address_of_the_page(
    fake: FakeHoldable, hold: Hold, role: str
) -> None:
    client = browser_of(member(role) if role else member())
    expected = 200 if role == "manager" else 403
    for address in (PAGE, LIVE, EXPORT, ROWS):
        assert client.get(address).status_code == expected, address
    posts = {PAGE: confirmed(hold), ROWS: confirmed(hold, by_row="yes", rows=[1]), CHECK: {}}
    for address, values in posts.items():
        assert client.post(address, values).status_code == (302 if expected == 200 else 403)
    assert bool(fake.sent) == (role == "manager")


def test_permission_alone_is_enough(fake: FakeHoldable, hold: Hold) -> None:
    client = browser_of(make_user("providers.release_hold"))
    assert client.get(PAGE).status_code == 200
    client.post(PAGE, confirmed(hold))
    assert fake.sent == {1, 2, 3}


def test_superuser_reaches_the_page(fake: FakeHoldable, hold: Hold) -> None:
    assert browser_of(member(superuser=True)).get(PAGE).status_code == 200


def test_signed_out_visitor_is_sent_to_sign_in_and_decides_nothing(
    fake: FakeHoldable, hold: Hold
) -> None:
    client = Client()
    assert client.get(LIVE).status_code == 401
    for address in (PAGE, EXPORT, ROWS):
        assert client.get(address).status_code == 302
    client.post(PAGE, confirmed(hold))
    assert fake.sent == set()


@pytest.mark.parametrize("role", ROLES)
def test_sidebar_links_the_page_for_managers_only(role: str) -> None:
    sidebar = shown(browser_of(member(role)), "/")
    assert (f'href="{PAGE}"' in sidebar) == (role == "manager")


# --- what is shown ---------------------------------------------------------
def test_page_lists_the_groups_with_two_answers_and_none_chosen(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    fake.settled = {1}
    page = shown(browser)
    assert "The database was restored from a backup." in page
    assert "HAORUI main, &lt;2 people&gt;" in page
    assert "1 resolved by what is known, 2 to decide" in page
    assert "No report is on record." in page
    assert page.count(f'name="{CHOICE}"') == 2
    assert " checked>" not in page[page.index('id="hold-waiting"') :]


def test_what_can_no_longer_be_sent_offers_only_not_to_send(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    fake.may_send = False
    page = shown(browser)
    assert page.count(f'name="{CHOICE}"') == 1
    assert 'value="discard"' in page


def test_page_without_a_hold_shows_it_and_lists_who_decided_what_before(
    fake: FakeHoldable, hold: Hold, manager: User, browser: Client
) -> None:
    browser.post(PAGE, confirmed(hold))
    page = shown(browser)
    assert "Nothing is on hold." in page
    assert "Released: Single messages, 3 – manager" in page
    assert "The senders say so" in page
    assert 'id="decisions"' not in page


def test_page_of_a_new_portal_has_no_earlier_holds(fake: FakeHoldable, browser: Client) -> None:
    assert "Earlier holds" not in shown(browser)


# --- deciding --------------------------------------------------------------
def test_decisions_are_shown_again_before_anything_happens(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    page = browser.post(PAGE, decisions(hold)).content.decode()
    assert "Carry out these decisions?" in page
    assert "charged again" in page
    assert fake.sent == set()


def test_confirmed_decision_is_carried_out_and_recorded(
    fake: FakeHoldable, hold: Hold, manager: User, browser: Client
) -> None:
    answer = browser.post(PAGE, confirmed(hold, **{"shown-fake:1": 3}), follow=True)
    assert "Single messages: 3 released." in answer.content.decode()
    assert fake.sent == {1, 2, 3}
    act = Act.objects.get(what="hold.release")
    assert (act.by, act.why) == (manager, "The senders say so")


def test_repeated_form_decides_nothing_twice(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    fake.sent = {1, 2}
    values = confirmed(hold, by_row="yes", rows=[1, 2])
    answer = browser.post(ROWS, values, follow=True)
    assert (
        "Single messages: 2 of those you chose were left as they were." in answer.content.decode()
    )
    assert Act.objects.count() == 0


def test_group_that_others_decided_meanwhile_is_reported_as_such(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    fake.sent = {1, 2, 3}
    answer = browser.post(PAGE, confirmed(hold), follow=True)
    assert "Single messages: nothing was left to decide." in answer.content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "r" * 201, "a\x00b"])
def test_decision_without_a_usable_reason_is_refused_and_keeps_the_choice(
    fake: FakeHoldable, hold: Hold, browser: Client, reason: str
) -> None:
    page = browser.post(PAGE, confirmed(hold, reason=reason)).content.decode()
    assert "There is a problem" in page
    assert 'value="send" id="send-1" checked' in page
    assert fake.sent == set()


def test_form_without_a_choice_is_refused(fake: FakeHoldable, hold: Hold, browser: Client) -> None:
    for choice in ("", "both"):
        page = browser.post(PAGE, confirmed(hold, **{CHOICE: choice})).content.decode()
        assert "Choose Send or Do not send for at least one line." in page
    assert fake.sent == set()


def test_form_of_an_earlier_hold_decides_nothing_about_a_later_one(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    answer = browser.post(PAGE, {**confirmed(hold), "hold": hold.pk + 1}, follow=True)
    assert "the hold has ended" in answer.content.decode()
    assert fake.sent == set()


def test_more_rows_than_were_shown_are_not_decided(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    answer = browser.post(PAGE, confirmed(hold, **{"shown-fake:1": 2}), follow=True)
    assert "more is waiting than you were shown" in answer.content.decode()
    assert Act.objects.count() == 0


def test_group_that_is_gone_is_not_asked_about(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    values = {"hold": hold.pk, "choice-fake:9": "send", "reason": "r"}
    for post in (values, {**values, "confirmed": "yes"}):
        answer = browser.post(PAGE, post, follow=True)
        assert "is no longer on hold" in answer.content.decode()


# --- row by row ------------------------------------------------------------
def test_selected_rows_are_decided_after_a_confirmation(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    assert "Row 2" in shown(browser, ROWS)
    values = decisions(hold, by_row="yes", rows=[2])
    page = browser.post(ROWS, values).content.decode()
    assert '<input type="hidden" name="rows" value="2">' in page
    browser.post(ROWS, {**values, "confirmed": "yes"})
    assert fake.sent == {2}
    assert "Row 2" not in shown(browser, ROWS)


@pytest.mark.parametrize("rows", [[], ["x"], ["²"], ["9" * 30], ["-1"]])
def test_no_row_is_decided_where_none_is_selected(
    fake: FakeHoldable, hold: Hold, browser: Client, rows: list[str]
) -> None:
    values = confirmed(hold, by_row="yes", rows=rows)
    assert "Select at least one row." in browser.post(ROWS, values).content.decode()
    assert fake.sent == set()


def test_rows_are_shown_in_pages(fake: FakeHoldable, hold: Hold, browser: Client) -> None:
    fake.count = 150
    page = shown(browser, ROWS)
    assert "Row 100<" in page
    assert "Row 101<" not in page
    assert 'href="?after=100"' in page
    assert "Row 101<" in shown(browser, f"{ROWS}?after=100")
    assert "Row 1<" in shown(browser, f"{ROWS}?after=x{'9' * 40}")


def test_rows_of_an_unknown_group_are_not_found(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    assert browser.get(f"{PAGE}rows/fake:2/").status_code == 404
    Hold.objects.all().delete()
    assert browser.get(ROWS).status_code == 404


# --- live, check again, export ---------------------------------------------
def test_open_page_is_sent_only_what_has_changed(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    page = shown(browser)
    mark = page.split(f"{LIVE}?mark=")[1].split('"')[0]
    assert browser.get(LIVE, {"mark": mark}).status_code == 204
    fake.settled = {1}
    fresh = browser.get(LIVE, {"mark": mark})
    assert fresh.status_code == 200
    assert 'id="hold-left" hx-swap-oob="true"' in fresh.content.decode()
    assert "2 wait for a decision." in fresh.content.decode()


def test_open_page_reloads_when_the_hold_ends(fake: FakeHoldable, browser: Client) -> None:
    answer = browser.get(LIVE)
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_check_again_settles_what_has_become_known(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    fake.known = {1, 2}
    text = browser.post(CHECK, follow=True).content.decode()
    assert "2 no longer need a decision." in text
    assert "Nothing more is known." in browser.post(CHECK, follow=True).content.decode()
    assert browser.get(CHECK).status_code == 405


def test_export_holds_the_groups_is_safe_and_is_logged(
    fake: FakeHoldable, hold: Hold, browser: Client
) -> None:
    fake.title = from_staff("=HYPERLINK(1)")
    content = b"".join(browser.get(EXPORT)).decode()
    assert '"\'=HYPERLINK(1)"' in content
    assert '"3","0","2025-11-20 13:12:05 UTC+08:00"' in content
    assert LogEntry.objects.filter(object_repr="providers.hold").count() == 1
    assert browser.get(EXPORT, {"format": "exe"}).status_code == 404


# --- every other page ------------------------------------------------------
def test_every_page_shows_since_when_and_why(fake: FakeHoldable, hold: Hold) -> None:
    banner = shown(browser_of(member("viewer")), reverse("admin:banner"))
    assert "On hold since" in banner
    assert "the database was restored from a backup." in banner
    assert "new work is sent normally." in banner
    assert PAGE not in banner
    assert PAGE in shown(browser_of(member("manager")), reverse("admin:banner"))


def test_banner_takes_one_query(fake: FakeHoldable, rf: RequestFactory) -> None:
    person = member("manager")
    person.has_perm(PERMISSION)
    for is_held in (False, True):
        request = rf.get("/")
        request.user = person
        if is_held:
            Hold.objects.create(cause=Hold.Cause.GAP)
        with CaptureQueriesContext(connection) as captured:
            assert bool(banner(request)) == is_held
        assert len(captured) == 1


def test_dashboard_counts_what_needs_a_decision(fake: FakeHoldable, hold: Hold) -> None:
    text = "3 are on hold and need a decision"
    assert text in shown(browser_of(member("manager")), "/")
    assert text not in shown(browser_of(member("operator")), "/")


def test_acts_of_others_do_not_show(fake: FakeHoldable, hold: Hold, browser: Client) -> None:
    record_act("hold.release", by=None, subject="hold:999", reason="of another hold", count=1)
    assert "of another hold" not in shown(browser)
