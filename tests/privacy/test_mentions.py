"""Who asks for the data of a number also gets the texts that mention it, and nothing of others."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from core.phones.traces import Traces
from core.stored_texts import from_staff
from lookup.models import Note
from messaging.models import Report
from privacy import legal_holds, mentions
from privacy.hand_out import hand_out
from privacy.mentions import HIDDEN, excerpt, find_mentions
from providers import clock
from providers.models import ApiCall, Callback
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff

NUMBER = "+8613987650321"
OTHER = "+8613911112222"
REASON = from_staff("the person asked")


def handed_out(**options: Any) -> tuple[dict[str, Any], str]:
    archive = zipfile.ZipFile(io.BytesIO(hand_out(NUMBER, REASON, None, **options)))
    return json.loads(archive.read("data.json")), archive.read("data.html").decode()


def scatter() -> None:
    by, account = make_staff("manager"), make_account()
    make_message(account, recipient=NUMBER, text="To the person")
    other = make_message(account, recipient=OTHER, text="Ask 139 8765 0321, code 482913")
    Report.objects.create(
        message=other, words=f"handed to {NUMBER}", state="delivered", at=clock.now()
    )
    Note.objects.create(number=OTHER, text="Same person as 13987650321", by=by, kind="number")
    Callback.objects.create(
        account=account,
        digest="d",
        method="POST",
        body=f'{{"客户": "{NUMBER}", "other": "{OTHER}"}}'.encode(),
    )
    ApiCall.objects.create(
        account=account,
        operation="send",
        started_at=clock.now(),
        duration=0.1,
        outcome="done",
        answer_body=f"sent to {NUMBER}",
    )


@pytest.mark.django_db
def test_texts_that_mention_the_number_are_handed_out_apart() -> None:
    scatter()
    data, page = handed_out()
    assert [row["text"] for row in data["tables"]["messaging.message"]["rows"]] == ["To the person"]
    found = {key: [row["text"] for row in part["rows"]] for key, part in data["mentions"].items()}
    assert found["messaging.message"] == [f"Ask 139 8765 0321, code {HIDDEN}"]
    assert found["messaging.report"] == [f"handed to {NUMBER}"]
    assert found["lookup.note"] == ["Same person as 13987650321"]
    assert found["providers.callback"] == [f'{{"客户": "{NUMBER}", "other": "+{HIDDEN}"}}']
    assert found["providers.apicall"] == [f"sent to {NUMBER}"]
    assert data["not_searched_to_the_end"] == []
    assert "Texts that mention this number" in page
    for secret in ("482913", OTHER, OTHER.removeprefix("+86")):
        assert secret not in json.dumps(data) + page


@pytest.mark.django_db
def test_what_staff_wrote_about_their_own_work_is_not_handed_out() -> None:
    legal_holds.set_hold(NUMBER, from_staff(f"court case of {NUMBER}"), make_staff("manager"))
    data, page = handed_out()
    assert data["mentions"] == {}
    assert "court" not in json.dumps(data) + page


@pytest.mark.django_db
def test_file_names_the_tables_that_there_was_no_time_to_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scatter()
    data, page = handed_out(seconds=0)
    assert data["mentions"] == {}
    assert "Messages" in data["not_searched_to_the_end"]
    assert "no time to search" in page
    monkeypatch.setattr(mentions, "MOST", 0)
    assert "Messages" in find_mentions(Traces(NUMBER), None).unfinished


def test_excerpt_hides_other_digits_before_between_and_behind() -> None:
    text = f"code 482913 for {NUMBER}, then 591827 for {NUMBER}, last 604938"
    shown = f"code {HIDDEN} for {NUMBER}, then {HIDDEN} for {NUMBER}, last {HIDDEN}"
    assert excerpt(text, Traces(NUMBER)) == shown


def test_excerpt_shows_the_part_around_the_number() -> None:
    text = f"{'a' * 500} {NUMBER} {'b' * 500}"
    shown = excerpt(text, Traces(NUMBER))
    assert NUMBER in shown
    assert shown.startswith(f"{HIDDEN}a")
    assert shown.endswith(f"b{HIDDEN}")
    assert len(shown) < 450
    far = f"{NUMBER} {'a' * 2_000} {NUMBER} 12345"
    assert excerpt(far, Traces(NUMBER)).count(NUMBER) == 1
