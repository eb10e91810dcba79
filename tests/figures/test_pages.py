"""Figures, scoreboard and dashboard: every figure is the number of rows that its link lists."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html import unescape
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from core.acts import record_act
from core.models import Act
from figures import roll_up
from figures.cuts import By, Period
from figures.presentation import words
from figures.presentation.links import rows_url
from figures.presentation.tables import table_of
from figures.summaries import Outcome, Subject, states_with
from messaging.models import Message
from otp.models import SentCode, Session
from providers import clock
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user

from .rows import add_message, add_order, add_session

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
OF_EACH = 20
"""Rows of each subject."""
ADDERS = {
    Subject.MESSAGES: add_message,
    Subject.CODES: add_session,
    Subject.NUMBERS: add_order,
}


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def rows() -> User:
    """Rows of all kinds over three days, counted."""
    random, person = Random(5), make_staff("manager")
    accounts = [make_account("haorui", name="North"), make_account("haosms", name="South")]
    now = clock.now()
    for add in ADDERS.values():
        for _number in range(OF_EACH):
            at = now - timedelta(minutes=random.randint(1, 3 * 24 * 60))
            who = random.choice((person, None))
            add(random, random.choice(accounts), who, at)
    for session in Session.objects.all():
        # The list shows the state of its message, which is of another time here.
        at = now - timedelta(days=90)
        message = add_message(random, session.account, None, at)
        SentCode.objects.create(session=session, message=message)
    assert roll_up.bring_up_to_date()
    return person


def listed(client: Client, url: str) -> int:
    answer = client.get(url)
    assert answer.status_code == 200
    return int(answer.context["cl"].result_count)


def period_of(days: int) -> Period:
    zone, today = timezone.get_current_timezone(), timezone.localdate()
    return Period.of_days(today - timedelta(days=days - 1), today, zone)


@pytest.mark.parametrize("subject", list(Subject))
@pytest.mark.parametrize("split", [By.ACCOUNT, By.COUNTRY, By.PERSON, By.REASON, None])
def test_every_figure_links_to_the_rows_it_counts(
    rows: User, rf: Any, subject: Subject, split: By | None
) -> None:
    request = rf.get("/")
    request.user = rows
    client = signed_in(rows)
    table = table_of(
        request,
        subject,
        period_of(4),
        split,
        past=None,
        where=None,
        chosen={},
        now=clock.now(),
    )

    checked = 0
    for line in [*table.lines, table.total]:
        for url, figure in (
            (line.url, line.summary.total),
            (line.failed_url, line.failed),
            (line.refused_url, line.refused),
            (line.unknown_url, line.unknown),
        ):
            if url and (figure or url == line.url):
                assert listed(client, url) == figure, url
                checked += 1
    assert table.total.summary.total == OF_EACH
    assert checked


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("subject", list(Subject))
def test_link_of_each_outcome_lists_its_states(
    rows: User, rf: Any, subject: Subject, outcome: Outcome
) -> None:
    request = rf.get("/")
    request.user = rows
    states = states_with(subject, outcome)
    if not states:
        return
    url = rows_url(request, subject, period_of(4), states=states)
    model = {"messages": Message}.get(subject)
    found = listed(signed_in(rows), url)

    if model is not None:
        on_the_way = ("claimed", "sending") if "queued" in states else ()
        wanted = model.objects.filter(created_at__gte=period_of(4).start)
        assert found == wanted.filter(state__in=(*states, *on_the_way)).count()


def test_no_link_for_a_list_that_may_not_be_opened(rows: User, rf: Any) -> None:
    request = rf.get("/")
    request.user = make_user("figures.view_figures", "otp.view_session")

    assert rows_url(request, Subject.MESSAGES, period_of(4)) == ""
    assert rows_url(request, Subject.CODES, period_of(4)) != ""


QUERIES = [
    {},
    {"subject": "codes", "split": "account_id"},
    {"subject": "numbers", "split": "country", "compare": "before"},
    {"by": "hour", "split": "kind"},
    {"split": "person_id", "compare": "weeks"},
    {"split": "state"},
    {"split": "reason", "compare": "before"},
    {"split": "batch_id"},
    {"first": "2026-01-01", "last": "2026-01-02"},
]


@pytest.mark.parametrize("query", QUERIES)
def test_page_of_figures_shows_any_cut(rows: User, query: dict[str, str]) -> None:
    answer = signed_in(rows).get("/figures/", query)

    assert answer.status_code == 200
    assert "has-error" not in answer.content.decode()
    assert answer.context["table"].total is not None


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"first": "x"}, "Enter a date."),
        ({"first": "2026-02-03", "last": "2026-02-01"}, "after the last one"),
        ({"first": "2020-01-01", "last": "2026-02-01"}, "at most 400 days"),
        ({"by": "hour", "first": "2026-01-01", "last": "2026-02-01"}, "at most 7 days"),
        ({"first": "0001-01-01", "last": "0001-01-02", "compare": "weeks"}, "Enter a date."),
        ({"first": "9999-12-30", "last": "9999-12-31"}, "Enter a date."),
    ],
)
def test_wrong_query_gets_a_message_beside_its_field(
    rows: User, query: dict[str, str], text: str
) -> None:
    answer = signed_in(rows).get("/figures/", query)

    assert answer.status_code == 200
    assert text in answer.content.decode()


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_export_has_the_table_and_is_recorded(rows: User, format_: str) -> None:
    query = {"split": "account_id", "format": format_}
    answer = signed_in(rows).get("/figures/export/", query)

    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    act = Act.objects.get(what="export")
    assert (act.by, act.details["rows"], act.details["count"]) == (rows, "figures", 3)
    if format_ == "csv":
        lines = list(csv.reader(content.decode("utf-8-sig").splitlines()))
        assert sorted(line[0] for line in lines[1:]) == ["All", "North", "South"]
        assert lines[-1][0] == "All"
        total = lines[0].index("All")
        assert int(lines[1][total]) + int(lines[2][total]) == int(lines[3][total])


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_figures_about_everybody_need_a_permission(rows: User, role: str) -> None:
    client = signed_in(make_staff(role))

    for url in ("/figures/", "/figures/export/", "/scoreboard/"):
        assert client.get(url).status_code == 403
    assert "/figures/" not in client.get("/").content.decode()


def test_first_column_of_the_table_has_a_word_for_every_cut(rows: User) -> None:
    heads = []
    for query in ({}, {"split": "account_id"}):
        page = signed_in(rows).get("/figures/", query).content.decode()
        table = page.partition('aria-labelledby="figures-table"')[2]
        heads += re.findall(r'<th scope="col">(.*?)</th>', table)[:1]
    assert heads == ["Figures", "Account"]


def test_export_needs_a_permission_of_its_own(rows: User) -> None:
    person = make_user("figures.view_figures", "messaging.view_message")
    client = signed_in(person)

    assert client.get("/figures/").status_code == 200
    assert client.get("/figures/export/").status_code == 403


def test_batches_are_named_to_people_who_may_see_them_only(rows: User) -> None:
    client = signed_in(make_user("figures.view_figures", "messaging.view_message"))

    answer = client.get("/figures/?split=batch_id")

    assert "split" in answer.context["form"].errors
    assert "batch_id" not in dict(answer.context["form"].fields["split"].choices)
    assert "batch_id" in signed_in(rows).get("/figures/").content.decode()


def test_reader_without_any_list_sees_no_figures(rows: User) -> None:
    assert signed_in(make_user("figures.view_figures")).get("/figures/").status_code == 403


def test_costs_of_several_accounts_are_not_added_up() -> None:
    manager = make_staff("manager")
    for name, price in (("North", "0.05"), ("South", "2")):
        account = make_account(name=name, price_per_segment=Decimal(price))
        make_message(account, state="submitted")
    roll_up.bring_up_to_date()

    shown = strip_tags(signed_in(manager).get("/figures/?split=account_id").content.decode())

    assert "0.05" in shown
    assert "2.00" in shown
    assert "2.05" not in shown
    assert "not added" in shown


def test_scoreboard_has_each_account_with_its_share(rows: User) -> None:
    shown = strip_tags(signed_in(rows).get("/scoreboard/").content.decode())

    assert "North" in shown
    assert "no reports" in shown
    assert "Nothing fails more often than usual." in shown


# --- the dashboard ------------------------------------------------------------


def tiles_of(html: str) -> Iterator[tuple[str, str, str]]:
    part = html[html.index('class="panel kpis"') :]
    part = part[: part.index("</section>")]
    for url, body in re.findall(r'<a href="([^"]+)">(.*?)</a>', part, re.DOTALL):
        label, value = re.findall(r'class="(?:k|v)">(.*?)</span>', body, re.DOTALL)[:2]
        yield unescape(url), strip_tags(label), strip_tags(value)


def test_manager_sees_everybody_and_operator_their_own() -> None:
    operator, other = make_staff("operator"), make_staff("operator")
    account = make_account()
    for person, count in ((operator, 2), (other, 3)):
        for _number in range(count):
            make_message(account, by=person, state="delivered", answered_at=clock.now())
    roll_up.bring_up_to_date()

    everybody = {
        label: value
        for _url, label, value in tiles_of(
            signed_in(make_staff("manager")).get("/").content.decode()
        )
    }
    own = {
        label: value
        for _url, label, value in tiles_of(signed_in(operator).get("/").content.decode())
    }

    assert everybody["Sent"] == "5"
    assert own["Sent"] == "2"


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        (3, 0, "0 before "),
        (0, 0, "0 before "),
        (2, 2, "no change (2)"),
        (3, 2, "+50% (2)"),
        (0, 2000, "−100% (2,000)"),
    ],
)
def test_change_and_former_count_say_it_once(now: int, before: int, shown: str) -> None:
    assert f"{words.growth(now, before)} {words.formerly(before)}" == shown


def test_tiles_link_to_their_rows(rows: User) -> None:
    client = signed_in(rows)

    checked = 0
    for url, label, value in tiles_of(client.get("/").content.decode()):
        if label in ("Sent", "Not delivered", "Outcome unknown"):
            assert listed(client, url) == int(value.replace(",", "")), label
            checked += 1
    assert checked == 3


@pytest.mark.parametrize("role", ["viewer", "operator", "manager", "auditor"])
def test_dashboard_of_each_role(rows: User, role: str) -> None:
    record_act("reveal", by=rows, subject="message:1")
    answer = signed_in(make_staff(role)).get("/")
    shown = strip_tags(answer.content.decode())

    assert answer.status_code == 200
    assert ("My last messages" in shown) == (role == "operator")
    assert ("Messages per hour by state" in shown) == (role in ("manager", "auditor"))
    assert ("Latest reveals, exports and changes" in shown) == (role == "auditor")


def test_my_day_shows_own_rows_only() -> None:
    operator = make_staff("operator")
    make_message(by=operator, text="Mine is here.")
    make_message(text="Of somebody else.")
    client = signed_in(operator)

    shown = client.get("/my-day/").content.decode()

    assert "Mine is here." in shown
    assert "Of somebody else." not in shown
    assert Client().get("/my-day/").status_code == 401
