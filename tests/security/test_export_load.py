"""Exports are bounded at once, per person and in length, and end when nobody waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.signals import request_finished
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from core.admin.export_jobs import export_page
from core.admin.export_slots import (
    AT_ONCE,
    ExportSlot,
    OtherExportsRun,
    OwnExportRuns,
    claim_slot,
)
from core.admin.exports import Column, Format, export
from core.client_presence import ClientGone
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

MESSAGES = "admin:messaging_message_export"
EXPORTS = (
    MESSAGES,
    "admin:otp_session_export",
    "admin:rentals_order_export",
    "admin:rentals_transaction_export",
    "admin:hold_export",
)
COLUMNS = [Column("Number", lambda row: row)]


@pytest.fixture(autouse=True)
def own_locks(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


class Connection:
    """Stands for the web server's side of a connection."""

    gone = False

    def peer_has_gone(self) -> bool:
        return self.gone


def request_of(person: User, connection: Connection | None = None) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = person
    request.META["gunicorn.socket"] = connection
    return request


class TestAtOnce:
    @pytest.mark.parametrize("name", EXPORTS)
    def test_every_export_claims_a_slot(self, name: str) -> None:
        person = member(superuser=True)
        held = claim_slot(request_of(person))
        answer = browser_of(person).get(reverse(name))
        assert answer.status_code == 429
        assert answer["Retry-After"]
        assert b"An export of yours is still running." in answer.content
        held.release()
        assert browser_of(person).get(reverse(name)).status_code == 200

    def test_refused_export_is_not_logged(self) -> None:
        person = member(superuser=True)
        held = claim_slot(request_of(person))
        browser_of(person).get(reverse(MESSAGES))
        assert not LogEntry.objects.exists()
        held.release()

    def test_people_share_few_places(self) -> None:
        people = [member(name=f"person{number}") for number in range(AT_ONCE + 1)]
        held = [claim_slot(request_of(person)) for person in people[:AT_ONCE]]
        with pytest.raises(OtherExportsRun):
            claim_slot(request_of(people[-1]))
        held[0].release()
        claim_slot(request_of(people[-1])).release()

    def test_who_found_no_place_has_no_export_of_their_own(self) -> None:
        people = [member(name=f"person{number}") for number in range(AT_ONCE + 1)]
        held = [claim_slot(request_of(person)) for person in people[:AT_ONCE]]
        for _ in range(2):
            with pytest.raises(OtherExportsRun):
                claim_slot(request_of(people[-1]))
        del held

    @pytest.mark.parametrize("format_", Format)
    def test_slot_is_free_when_the_response_is_closed(
        self, format_: Format, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # It would close the database, in which the test's transaction is open.
        monkeypatch.setattr(request_finished, "send", lambda **_: None)
        person = member("auditor")
        slot = claim_slot(request_of(person))
        response = export("list", COLUMNS, ["1"], format_, slot)
        with pytest.raises(OwnExportRuns):
            claim_slot(request_of(person))
        response.close()
        claim_slot(request_of(person)).release()

    def test_slot_is_free_after_an_error(self) -> None:
        person = member("auditor")
        with pytest.raises(ZeroDivisionError):
            export(
                "list",
                [Column("Number", lambda row: 1 / row)],
                [0],
                Format.XLSX,
                claim_slot(request_of(person)),
            )
        claim_slot(request_of(person)).release()

    def test_forgotten_slot_is_free(self) -> None:
        person = member("auditor")
        slot = claim_slot(request_of(person))
        del slot
        claim_slot(request_of(person)).release()


class TestLength:
    def test_longer_list_is_no_load_for_the_web(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(export_page, "MOST_ROWS", 2)
        browser = browser_of(member(superuser=True))
        account = make_account("haorui")
        for _ in range(2):
            make_message(account)
        answer = browser.get(reverse(MESSAGES))
        assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        make_message(account)
        answer = browser.get(reverse(MESSAGES))
        assert b"The list has 3 rows." in answer.content
        # The slot is free again.
        assert b"The list has 3 rows." in browser.get(reverse(MESSAGES)).content


class TestClientGone:
    def rows(self, connection: Connection, read: list[int]) -> Iterator[Any]:
        for number in range(10_000):
            read.append(number)
            connection.gone = number >= 100
            yield number

    def slot(self, connection: Connection) -> ExportSlot:
        return claim_slot(request_of(member("auditor"), connection))

    def test_workbook_is_not_finished_for_nobody(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "temporary"
        folder.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        read: list[int] = []
        connection = Connection()
        with pytest.raises(ClientGone):
            export(
                "list",
                COLUMNS,
                self.rows(connection, read),
                Format.XLSX,
                self.slot(connection),
            )
        assert len(read) < 1_000
        assert not list(folder.iterdir())

    def test_csv_ends(self) -> None:
        read: list[int] = []
        connection = Connection()
        slot = self.slot(connection)
        response = export("list", COLUMNS, self.rows(connection, read), Format.CSV, slot)
        list(response)
        assert len(read) < 1_000

    def test_page_of_a_client_that_has_gone_is_no_error(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*_: object) -> None:
            raise ClientGone

        monkeypatch.setattr("core.admin.export_jobs.export_page.claim_slot", gone)
        client.force_login(member(superuser=True))
        assert client.get(reverse(MESSAGES)).status_code == 499
