"""The pages, the file that is handed out, and the commands."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from core.models import Act
from core.phones.erased import is_erased
from core.phones.searches import allow_search
from core.phones.tokens import token_of
from core.stored_texts import from_staff
from messaging.models import Message
from privacy import erase, slices
from privacy.models import Erasure, LegalHold
from privacy.states import ErasureState
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user
from tests.privacy.canary import DIGITS, NUMBER, scatter

pytestmark = pytest.mark.django_db
REASON = "the person asked for it"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_staff("manager"))
    return client


def post_erasure(client: Client, **values: Any) -> Any:
    given = {"number": NUMBER, "reason": REASON, "understood": "on", **values}
    return client.post("/privacy/erase/", {k: v for k, v in given.items() if v})


def test_a_number_is_erased_from_the_form_to_the_proof(client: Client) -> None:
    message = make_message(recipient=NUMBER, state="delivered")
    page = post_erasure(client)
    erasure = Erasure.objects.get()
    assert page.url == f"/privacy/erasures/{erasure.public_id}/"
    live = client.get(f"{page.url}live/").content.decode()
    assert "Waiting" in live
    assert "hx-get" in live

    while slices.run_slice(only=erasure.pk):
        pass
    shown = client.get(page.url).content.decode()
    assert "found the number nowhere" in shown
    assert DIGITS not in shown
    assert "hx-trigger" not in client.get(f"{page.url}live/").content.decode()
    message.refresh_from_db()
    assert is_erased(message.recipient)
    detail = client.get(f"/messaging/message/{message.public_id}/change/")
    assert detail.status_code == 200
    assert "erased number" in detail.content.decode()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"number": "12"}, "digits"),
        ({"reason": "x"}, "Describe the reason"),
        ({"understood": ""}, "Confirm this first"),
    ],
)
def test_bad_input_is_answered_beside_the_field(
    client: Client, values: dict[str, str], problem: str
) -> None:
    page = post_erasure(client, **values).content.decode()
    assert problem in page
    assert "field-problem" in page
    assert not Erasure.objects.exists()


def test_something_under_way_is_said_beside_the_number(client: Client) -> None:
    make_message(recipient=NUMBER)
    page = post_erasure(client).content.decode()
    assert "still under way (Messages: 1)" in page
    assert f'value="{NUMBER}"' in page


def test_an_erasure_that_runs_is_stopped(client: Client) -> None:
    post_erasure(client)
    erasure = Erasure.objects.get()
    client.post(f"/privacy/erasures/{erasure.public_id}/stop/")
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.STOPPED
    assert not erasure.number
    assert not slices.run_slice(only=erasure.pk)


def test_the_same_number_is_not_erased_twice_at_once(client: Client) -> None:
    post_erasure(client)
    assert "already being erased" in post_erasure(client).content.decode()


def test_the_form_is_filled_in_only_for_those_who_typed_the_number(client: Client) -> None:
    url = f"/privacy/erase/?number={token_of(NUMBER)}"
    assert DIGITS not in client.get(url).content.decode()
    person = make_staff("manager")
    allow_search(NUMBER, person, where="test")
    client.force_login(person)
    assert DIGITS in client.get(url).content.decode()


def test_a_legal_hold_is_set_and_lifted_with_a_reason(client: Client) -> None:
    client.post("/privacy/hold/", {"number": NUMBER, "reason": "a lawsuit"})
    hold = LegalHold.objects.get()
    assert "legal hold" in post_erasure(client).content.decode()
    lift = f"/privacy/holds/{hold.public_id}/lift/"
    client.post(lift, {"reason": ""})
    hold.refresh_from_db()
    assert hold.lifted_at is None

    client.post(lift, {"reason": "it has ended"})
    hold.refresh_from_db()
    assert hold.lifted_at is not None
    assert not hold.number
    whats = list(Act.objects.filter(what__startswith="legal").values_list("what", flat=True))
    assert sorted(whats) == ["legal_hold.lift", "legal_hold.set"]


def test_the_data_of_a_number_is_handed_out_as_a_file(client: Client) -> None:
    scatter()
    answer = client.post("/privacy/hand-out/", {"number": NUMBER, "reason": REASON})
    assert answer["Content-Type"] == "application/zip"
    assert DIGITS not in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    data = json.loads(archive.read("data.json"))
    tables = data["tables"]
    assert data["number"] == NUMBER
    assert len(tables["messaging.message"]["rows"]) == 2
    assert tables["rentals.order"]["rows"][0]["content"] == f"From {NUMBER}: hello"
    assert tables["lookup.note"]["rows"][0]["text"] == "calls often"
    assert "Call 13987650321 back" not in json.dumps(tables)
    mentioned = data["mentions"]["messaging.message"]["rows"]
    assert [row["text"] for row in mentioned] == ["Call 13987650321 back"]
    assert "calls often" in archive.read("data.html").decode()
    act = Act.objects.get(what="number.hand_out")
    assert act.why == REASON
    assert DIGITS not in act.subject


def test_markup_in_a_text_is_no_markup_in_the_file(client: Client) -> None:
    make_message(recipient=NUMBER, text="<script>alert(1)</script>", state="delivered")
    answer = client.post("/privacy/hand-out/", {"number": NUMBER, "reason": REASON})
    page = zipfile.ZipFile(io.BytesIO(answer.content)).read("data.html").decode()
    assert "<script" not in page


@pytest.mark.parametrize(
    ("permission", "path"),
    [
        ("erase_number", "erase"),
        ("hand_out_number", "hand-out"),
        ("set_legal_hold", "hold"),
        ("set_retention", "retention"),
    ],
)
def test_each_permission_opens_its_own_page_only(permission: str, path: str) -> None:
    client = Client()
    client.force_login(make_user(f"privacy.{permission}"))
    assert client.get("/privacy/").status_code == 200
    for other in ("erase", "hand-out", "hold", "retention"):
        expected = 200 if other == path else 403
        assert client.get(f"/privacy/{other}/").status_code == expected


def test_the_command_erases_and_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    scatter()
    call_command("erase_number", NUMBER, "--reason", "asked by letter")
    out = capsys.readouterr().out
    assert "Messages: 3 erased, 0 left" in out
    assert "found the number nowhere" in out
    assert not Message.objects.filter(recipient=NUMBER).exists()


def test_the_command_refuses_what_is_no_number_or_under_way() -> None:
    with pytest.raises(CommandError, match="no phone number"):
        call_command("erase_number", "12", "--reason", "x")
    make_message(recipient=NUMBER)
    with pytest.raises(CommandError, match="under way"):
        call_command("erase_number", NUMBER, "--reason", "x")


def test_the_command_writes_the_data_into_a_new_file_only(tmp_path: Path) -> None:
    scatter()
    path = tmp_path / "data.zip"
    call_command("hand_out_number", NUMBER, "--reason", "asked", "--to", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert "data.json" in zipfile.ZipFile(path).namelist()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("hand_out_number", NUMBER, "--reason", "asked", "--to", str(path))


def test_a_reason_with_the_number_is_kept_without_it() -> None:
    erasure = erase.ask(NUMBER, from_staff(f"{DIGITS} wrote"), make_staff("manager"))
    erasure.refresh_from_db()
    assert DIGITS not in erasure.reason


def test_a_long_reason_lifts_no_legal_hold(client: Client) -> None:
    client.post("/privacy/hold/", {"number": NUMBER, "reason": "a lawsuit"})
    lift = f"/privacy/holds/{LegalHold.objects.get().public_id}/lift/"
    page = client.post(lift, {"reason": "it ends " * 30}, follow=True).content.decode()
    assert "This may have at most 200 characters; it has 239. Shorten it." in page
    assert LegalHold.objects.get().lifted_at is None
