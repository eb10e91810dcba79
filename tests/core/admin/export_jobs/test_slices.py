"""Jobs are written in slices that may be killed, with the rights that the person still has."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from openpyxl import load_workbook

from core.admin.export_jobs import end, export_page, limits, parts, slices, stored_file
from core.admin.export_jobs.limits import State
from core.models import Act, ExportJob, ExportPart
from core.tasks import continue_exports, write_exports
from messaging.models import Message
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

EXPORT = "/messaging/message/export/"
PAGE = "/my-exports/"
PART_ROWS = 3


@pytest.fixture(autouse=True)
def small_parts(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(export_page, "MOST_ROWS", 2)
    monkeypatch.setattr(parts, "MOST_ROWS", PART_ROWS)
    monkeypatch.setattr(parts, "ROWS_AT_ONCE", 2)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were queued. None runs."""
    found: list[str] = []
    monkeypatch.setattr(
        "core.admin.export_jobs.ask.async_task", lambda name, **_: found.append(name)
    )
    return found


@pytest.fixture(autouse=True)
def empty_queue(queued: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Broker:
        def queue_size(self) -> int:
            return 0

    monkeypatch.setattr(slices, "get_broker", Broker)


@pytest.fixture
def messages() -> list[Message]:
    account = make_account("haorui")
    return [make_message(account, recipient=f"+8613912345{n:03}") for n in range(7)]


def asked(browser: Client, query: str = "period=all", format_: str = "csv") -> ExportJob:
    answer = browser.post(f"{EXPORT}?{query}&format={format_}")
    assert answer.status_code == 302, answer.content
    assert answer["Location"] == PAGE
    return ExportJob.objects.latest("pk")


def run_to_the_end() -> int:
    """The number of slices that it took."""
    count = 1
    while slices.write_slice():
        count += 1
    return count


def content_of(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def lines_of(browser: Client, job: ExportJob) -> list[dict[str, str]]:
    text = content_of(browser.get(f"{PAGE}{job.public_id}/file/")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def one_part_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", 0)


class TestAsking:
    def test_short_list_is_downloaded_at_once(self) -> None:
        make_message(make_account("haorui"))
        answer = browser_of(member("manager")).get(EXPORT)
        assert content_of(answer)
        assert not ExportJob.objects.exists()

    def test_longer_list_is_offered_as_a_job_and_nothing_is_added_by_looking(
        self, messages: list[Message]
    ) -> None:
        answer = browser_of(member("manager")).get(f"{EXPORT}?period=all")
        assert b"The list has 7 rows." in answer.content
        assert not ExportJob.objects.exists()
        assert not LogEntry.objects.exists()

    def test_job_is_queued_and_recorded_with_its_filters(
        self, messages: list[Message], queued: list[str]
    ) -> None:
        person = member("manager")
        job = asked(browser_of(person), "period=all&q=%2B8613912345001")
        assert queued == ["core.tasks.write_exports"]
        act = Act.objects.get(what="export.ask")
        assert act.by == person
        assert act.subject == f"export:{job.pk}"
        assert "period=all" in act.personal["filters"]
        assert "12345001" not in str(act.details) + str(act.personal)
        assert "12345001" not in str(job.filters)

    def test_number_that_was_searched_for_is_encrypted(self, messages: list[Message]) -> None:
        asked(browser_of(member("manager")), "period=all&q=%2B8613912345001")
        stored = ExportJob.objects.values_list("query", flat=True).get()
        assert "12345001" not in getattr(stored, "token", "12345001")

    def test_needs_the_permission_to_export(self, messages: list[Message]) -> None:
        browser = browser_of(member("operator"))
        assert browser.get(EXPORT).status_code == 403
        assert browser.post(EXPORT).status_code == 403
        assert not ExportJob.objects.exists()

    def test_who_has_many_unfinished_ones_is_told_so(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MOST_OPEN", 1)
        browser = browser_of(member("manager"))
        asked(browser)
        answer = browser.post(f"{EXPORT}?period=all", follow=True)
        assert b"you already have 1 that are not finished" in answer.content
        assert ExportJob.objects.count() == 1

    def test_files_are_limited_in_number_and_size(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = browser_of(member("manager"))
        job = asked(browser)
        run_to_the_end()
        monkeypatch.setattr(limits, "MOST_FILES", 1)
        answer = browser.post(f"{EXPORT}?period=all", follow=True)
        assert b"keeps at most 1 files for you" in answer.content
        monkeypatch.setattr(limits, "MOST_FILES", 20)
        monkeypatch.setattr(limits, "MOST_BYTES", 1)
        answer = browser.post(f"{EXPORT}?period=all", follow=True)
        assert b"take up all the space" in answer.content
        browser.post(f"{PAGE}{job.public_id}/cancel/")
        assert asked(browser)


class TestFile:
    def test_csv_has_each_row_once_and_the_newest_first(self, messages: list[Message]) -> None:
        browser = browser_of(member("manager"))
        job = asked(browser)
        run_to_the_end()
        numbers = [line["Our reference"] for line in lines_of(browser, job)]
        assert numbers == [message.reference for message in reversed(messages)]

    def test_workbook_has_the_same_cells(self, messages: list[Message]) -> None:
        browser = browser_of(member("manager"))
        jobs = [asked(browser, format_=format_) for format_ in ("csv", "xlsx")]
        run_to_the_end()
        book = load_workbook(
            io.BytesIO(content_of(browser.get(f"{PAGE}{jobs[1].public_id}/file/")))
        )
        rows = [[cell.value or "" for cell in row] for row in book.worksheets[0].rows]
        lines = lines_of(browser, jobs[0])
        assert rows == [list(lines[0]), *(list(line.values()) for line in lines)]

    def test_workbook_has_another_sheet_above_the_limit_of_rows(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parts, "ROWS_OF_SHEET", 5)
        browser = browser_of(member("manager"))
        job = asked(browser, format_="xlsx")
        run_to_the_end()
        book = load_workbook(io.BytesIO(content_of(browser.get(f"{PAGE}{job.public_id}/file/"))))
        assert [sheet.max_row for sheet in book] == [5, 4]

    @pytest.mark.parametrize("format_", ["csv", "xlsx"])
    def test_formulas_are_no_formulas(self, messages: list[Message], format_: str) -> None:
        Message.objects.update(text="=1+1")
        browser = browser_of(member("manager"))
        job = asked(browser, format_=format_)
        run_to_the_end()
        content = content_of(browser.get(f"{PAGE}{job.public_id}/file/"))
        if format_ == "csv":
            assert b"'=1+1" in content
            return
        cells = [cell for row in load_workbook(io.BytesIO(content)).worksheets[0] for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f"]
        assert "'=1+1" in [cell.value for cell in cells]

    def test_rows_that_come_later_are_not_in_it(self, messages: list[Message]) -> None:
        browser = browser_of(member("manager"))
        job = asked(browser)
        make_message(messages[0].account)
        run_to_the_end()
        assert len(lines_of(browser, job)) == 7

    def test_relative_dates_count_from_when_it_was_asked_for(self) -> None:
        account = make_account("haorui")
        start = datetime(2026, 3, 1, 12, tzinfo=UTC)
        for hours in (1, 2, 3, 24 * 8):
            make_message(account, created_at=start - timedelta(hours=hours))
        person = member("manager")
        with time_machine.travel(start, tick=False):
            job = asked(browser_of(person), "period=7")
        with time_machine.travel(start + timedelta(days=6, hours=23), tick=False):
            run_to_the_end()
            assert len(lines_of(browser_of(person), job)) == 3

    def test_zone_and_language_are_those_of_asking(self, messages: list[Message]) -> None:
        person = member("manager")
        browser = browser_of(person)
        browser.post("/my-settings/", {"time_zone": "Asia/Kathmandu", "language": "zh-hans"})
        job = asked(browser)
        browser.post("/my-settings/", {"time_zone": "", "language": "en"})
        run_to_the_end()
        line = lines_of(browser, job)[0]
        assert line["时间"].endswith("UTC+05:45")

    def test_finished_export_is_logged_with_filters_and_count(
        self, messages: list[Message]
    ) -> None:
        person = member("manager")
        job = asked(browser_of(person))
        run_to_the_end()
        act = Act.objects.get(what="export")
        assert (act.by, act.subject) == (person, f"export:{job.pk}")
        assert (act.details["count"], act.personal["filters"]) == (7, "period=all")
        assert LogEntry.objects.filter(user=person).count() == 1


class TestSlices:
    def test_slice_ends_when_its_time_is_over(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_part_a_slice(monkeypatch)
        asked(browser_of(member("manager")))
        assert slices.write_slice()
        assert ExportJob.objects.get().rows == PART_ROWS
        assert run_to_the_end() == 2
        assert ExportJob.objects.get().state == State.READY

    def test_slice_gives_way_to_other_tasks_after_a_part(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Busy:
            def queue_size(self) -> int:
                return 1

        monkeypatch.setattr(slices, "get_broker", Busy)
        asked(browser_of(member("manager")))
        slices.write_slice()
        assert ExportJob.objects.get().parts == 1

    def test_task_queues_the_next_slice(
        self, messages: list[Message], queued: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_part_a_slice(monkeypatch)
        asked(browser_of(member("manager")))
        queued.clear()
        for _ in range(3):
            write_exports()
        assert queued == ["core.tasks.write_exports"] * 2

    def test_part_is_cut_when_its_rows_take_long(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parts, "MOST_ROWS", 100)
        monkeypatch.setattr(parts, "LONGEST", 0)
        browser = browser_of(member("manager"))
        job = asked(browser)
        run_to_the_end()
        assert list(ExportPart.objects.values_list("rows", flat=True)) == [2, 2, 2, 1]
        assert len(lines_of(browser, job)) == 7

    @pytest.mark.parametrize("kill_at", ["before", "after"])
    def test_killed_slice_leaves_nothing_out_and_repeats_nothing(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch, kill_at: str
    ) -> None:
        browser = browser_of(member("manager"))
        job = asked(browser)
        create = ExportPart.objects.create

        def killed(**values: Any) -> None:
            if values["number"] == 1:
                if kill_at == "after":
                    create(**values)
                raise SystemExit
            create(**values)

        with monkeypatch.context() as patch:
            patch.setattr(ExportPart.objects, "create", killed)
            # A worker that is killed runs nothing of its own any more.
            patch.setattr(slices._Slice, "run", slices._Slice._write_parts)
            with pytest.raises(SystemExit):
                slices.write_slice()
        assert ExportJob.objects.get().parts == 1
        assert not slices.runnable().exists()
        ExportJob.objects.update(busy_until=datetime(2020, 1, 1, tzinfo=UTC))
        run_to_the_end()
        references = [line["Our reference"] for line in lines_of(browser, job)]
        assert references == [message.reference for message in reversed(messages)]

    def test_lost_slice_begins_again_by_the_clock(
        self, messages: list[Message], queued: list[str]
    ) -> None:
        asked(browser_of(member("manager")))
        queued.clear()
        continue_exports()
        assert not queued
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
            continue_exports()
        assert queued == ["core.tasks.write_exports"]

    def test_slice_that_was_given_up_writes_nothing_more(self, messages: list[Message]) -> None:
        asked(browser_of(member("manager")))
        stale = slices._claim_next()
        assert stale is not None
        ExportJob.objects.update(busy_until=datetime(2020, 1, 1, tzinfo=UTC))
        assert slices._claim_next() is not None
        slices._Slice(stale).run()
        assert not ExportPart.objects.exists()

    def test_job_that_fails_each_time_is_stopped_with_words(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_maker: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(parts.PartMaker, "make", fails)
        browser = browser_of(member("manager"))
        asked(browser)
        assert run_to_the_end() == slices.MOST_TRIES + 1
        assert ExportJob.objects.get().state == State.STOPPED
        assert b"Writing it failed several times." in browser.get(PAGE).content

    def test_one_job_of_a_person_at_a_time_and_people_in_turn(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_part_a_slice(monkeypatch)
        one, other = browser_of(member("manager")), browser_of(member("auditor"))
        first, second, third = asked(one), asked(one), asked(other)
        worked = []
        while slices.write_slice():
            worked.append(ExportJob.objects.latest("progressed_at").pk)
        assert worked[:5] == [first.pk, third.pk, first.pk, third.pk, first.pk]
        assert set(worked[5:]) == {second.pk, third.pk}

    def test_page_says_that_the_second_waits_for_the_first(self, messages: list[Message]) -> None:
        browser = browser_of(member("manager"))
        asked(browser)
        asked(browser)
        assert browser.get(PAGE).content.count(b"Begins when your earlier export has ended.") == 1

    def test_host_works_on_one_job_at_a_time(self, messages: list[Message]) -> None:
        asked(browser_of(member("manager")))
        with slices._only_on_host() as is_only:
            assert is_only
            assert not slices.write_slice()
        assert not ExportPart.objects.exists()

    def test_job_that_takes_too_much_space_is_stopped(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked(browser_of(member("manager")))
        monkeypatch.setattr(slices, "MOST_BYTES", 10)
        run_to_the_end()
        job = ExportJob.objects.get()
        assert (job.state, job.reason, job.stored) == (State.STOPPED, "space", 0)
        assert not ExportPart.objects.exists()


class TestRights:
    def test_what_was_masked_at_asking_stays_masked(self, messages: list[Message]) -> None:
        person = member("auditor")
        browser = browser_of(person)
        job = asked(browser)
        person.groups.add(*member("manager").groups.all())
        run_to_the_end()
        assert {line["Recipient"][-4:] for line in lines_of(browser, job)} != set()
        assert not [line for line in lines_of(browser, job) if "13912345" in line["Recipient"]]

    def test_lost_right_to_reveal_begins_the_file_again_masked(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_part_a_slice(monkeypatch)
        person = member("manager")
        browser = browser_of(person)
        job = asked(browser)
        slices.write_slice()
        assert ExportJob.objects.get().rows == PART_ROWS
        person.groups.set(member("auditor").groups.all())
        run_to_the_end()
        lines = lines_of(browser, job)
        assert len(lines) == 7
        assert not [line for line in lines if "13912345" in line["Recipient"]]

    def test_lost_right_to_reveal_stops_a_search(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = member("manager")
        asked(browser_of(person), "period=all&q=Hello")
        person.groups.set(member("auditor").groups.all())
        run_to_the_end()
        job = ExportJob.objects.get()
        assert (job.state, job.reason) == (State.STOPPED, "rights")

    @pytest.mark.parametrize("what", ["export", "active"])
    def test_lost_right_to_export_stops_the_job(
        self, messages: list[Message], what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_part_a_slice(monkeypatch)
        person = member("manager")
        asked(browser_of(person))
        slices.write_slice()
        if what == "export":
            person.groups.set(member("operator").groups.all())
        else:
            User.objects.filter(pk=person.pk).update(is_active=False)
        run_to_the_end()
        job = ExportJob.objects.get()
        assert (job.state, job.reason) == (State.STOPPED, "rights")
        assert not ExportPart.objects.exists()

    def test_own_numbers_of_the_last_hours_are_masked_in_a_file_that_is_kept(self) -> None:
        person = member("auditor")
        account = make_account("haorui")
        for _ in range(3):
            make_message(account, recipient="+8613912345678", by=person)
        browser = browser_of(person)
        job = asked(browser)
        run_to_the_end()
        assert not [line for line in lines_of(browser, job) if "13912345" in line["Recipient"]]

    @pytest.mark.parametrize("role", ["auditor", "operator"])
    def test_download_asks_for_the_rights_again(self, messages: list[Message], role: str) -> None:
        person = member("manager")
        browser = browser_of(person)
        job = asked(browser)
        run_to_the_end()
        person.groups.set(member(role).groups.all())
        assert browser.get(f"{PAGE}{job.public_id}/file/").status_code == 403
        assert b"You no longer have the permissions for this file." in browser.get(PAGE).content

    def test_nobody_else_has_the_file(self, messages: list[Message]) -> None:
        job = asked(browser_of(member("manager")))
        run_to_the_end()
        other = browser_of(member(superuser=True))
        for name in ("file", "cancel", "again"):
            address = f"{PAGE}{job.public_id}/{name}/"
            ask = other.get if name == "file" else other.post
            assert ask(address).status_code == 404
        assert job.public_id not in other.get(PAGE).content.decode()
        assert Client().get(f"{PAGE}{job.public_id}/file/").status_code == 302

    def test_search_is_not_counted_again_by_slices(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = member("auditor")
        browser = browser_of(person)
        job = asked(browser, "period=all&q=%2B8613912345001")
        monkeypatch.setattr("core.admin.read_only.allow_search", lambda *_a, **_k: False)
        run_to_the_end()
        assert len(lines_of(browser, job)) == 1


class TestEnd:
    def test_cancelled_job_leaves_nothing(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one_part_a_slice(monkeypatch)
        browser = browser_of(member("manager"))
        job = asked(browser)
        slices.write_slice()
        browser.post(f"{PAGE}{job.public_id}/cancel/")
        job.refresh_from_db()
        assert (job.state, job.stored) == (State.CANCELLED, 0)
        assert not ExportPart.objects.exists()
        assert not slices.write_slice()
        assert Act.objects.filter(what="export.cancel", subject=f"export:{job.pk}").exists()

    def test_running_slice_notices_that_it_was_cancelled(
        self, messages: list[Message], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = member("manager")
        asked(browser_of(person))
        keep = slices._Slice._keep

        def cancelled(this: Any, part: Any) -> bool:
            end.cancel(ExportJob.objects.get(), person)
            return keep(this, part)

        monkeypatch.setattr(slices._Slice, "_keep", cancelled)
        slices.write_slice()
        assert ExportJob.objects.get().state == State.CANCELLED
        assert not ExportPart.objects.exists()

    def test_file_ends_after_seven_days(self, messages: list[Message]) -> None:
        person = member("manager")
        job = asked(browser_of(person))
        run_to_the_end()
        address = f"{PAGE}{job.public_id}/file/"
        now = datetime.now(UTC)
        with time_machine.travel(now + timedelta(days=6, hours=23)):
            end.prune()
            assert content_of(browser_of(person).get(address))
        with time_machine.travel(now + timedelta(days=7, minutes=1)):
            # Before it is pruned, too.
            answer = browser_of(person).get(address, follow=True)
            assert b"The file is no longer available." in answer.content
            end.prune()
            assert not ExportPart.objects.exists()
            assert ExportJob.objects.get().state == State.ENDED
        with time_machine.travel(now + timedelta(days=31)):
            end.prune()
            assert not ExportJob.objects.exists()

    def test_asking_again_takes_the_filters_and_what_there_is_now(
        self, messages: list[Message]
    ) -> None:
        browser = browser_of(member("manager"))
        job = asked(browser)
        run_to_the_end()
        make_message(messages[0].account)
        browser.post(f"{PAGE}{job.public_id}/again/")
        run_to_the_end()
        newest = ExportJob.objects.latest("pk")
        assert len(lines_of(browser, newest)) == 8

    def test_download_is_recorded_and_is_one_at_a_time(self, messages: list[Message]) -> None:
        person = member("manager")
        browser = browser_of(person)
        job = asked(browser)
        run_to_the_end()
        content_of(browser.get(f"{PAGE}{job.public_id}/file/"))
        act = Act.objects.get(what="export.download")
        assert (act.by, act.subject, act.details["count"]) == (person, f"export:{job.pk}", 7)

    def test_missing_part_breaks_the_download_off(self, messages: list[Message]) -> None:
        browser = browser_of(member("manager"))
        job = asked(browser)
        run_to_the_end()
        ExportPart.objects.filter(number=1).delete()
        with pytest.raises(stored_file.NoFile):
            lines_of(browser, job)
