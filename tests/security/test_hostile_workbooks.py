"""Workbooks made to exhaust memory or time end within the reader's bounds, as unreadable."""

from __future__ import annotations

import io
import itertools
import os
import resource
import zipfile
from collections.abc import Callable
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection

import pytest

from core.memory_limit import memory_limit
from messaging.batches.importing import importer, xml_parser
from messaging.batches.importing.file_errors import Unreadable
from messaging.batches.importing.tables import open_table
from messaging.batches.importing.xlsx import Workbook
from messaging.batches.importing.zip_parts import SMALL
from messaging.batches.states import BatchState
from tests.factories.batches import make_batch
from tests.messaging.batches.importing import test_open_document, test_xml_2003
from tests.messaging.batches.importing.opened_tables import Bytes
from tests.messaging.batches.importing.test_open_document import ods
from tests.messaging.batches.importing.test_xlsx import SHEETS, raw_workbook

MEGABYTE = 1024 * 1024
MOST_MEMORY = 100 * MEGABYTE
"""Memory that refusing a file may take."""


def one_attribute(size: int) -> str:
    return f'<row spans="{"1" * size}"/>'


HOSTILE: dict[str, Callable[[], bytes]] = {
    "elements that are never closed": lambda: raw_workbook("<a>" * 3_000_000),
    "such elements in the shared strings": lambda: raw_workbook("", texts="<a>" * 3_000_000),
    "such elements in the styles": lambda: raw_workbook("", styles="<a>" * 3_000_000),
    "such elements in the workbook part": lambda: raw_workbook(
        "", xl__workbook=f'<workbook xmlns="{SHEETS}">' + "<a>" * 3_000_000
    ),
    "one attribute": lambda: raw_workbook(one_attribute(18 * MEGABYTE)),
    "one comment": lambda: raw_workbook(f"<!--{'x' * 18 * MEGABYTE}-->"),
    "one instruction": lambda: raw_workbook(f"<?x {'x' * 18 * MEGABYTE}?>"),
    "different elements": lambda: raw_workbook("".join(f"<a{n:x}/>" for n in range(1_500_000))),
    "different attributes": lambda: raw_workbook(
        "".join(f'<c a{n:x}=""/>' for n in range(1_500_000))
    ),
    "different namespaces": lambda: raw_workbook(
        "".join(f'<c xmlns:a{n:x}="a"/>' for n in range(700_000))
    ),
    "merged cells": lambda: raw_workbook(
        "<mergeCells>" + '<mergeCell ref="A1:GR1048576"/>' * 300_000 + "</mergeCells>"
    ),
    "a row for ever": lambda: ods(
        test_open_document.sheet(
            test_open_document.row(
                test_open_document.cell("1" * 9_000, 'table:number-columns-repeated="999999"'),
                more='table:number-rows-repeated="1048576"',
            )
            * 2
        )
    ),
    "elements of OpenDocument": lambda: ods("<a>" * 3_000_000),
    "sheets of OpenDocument": lambda: ods("<table:table/>" * 1_000_000),
    "cells of OpenDocument": lambda: ods(
        test_open_document.sheet("<table:table-row><table:table-cell/></table:table-row>" * 300_000)
        + "<a>"
    ),
    "elements of XML": lambda: test_xml_2003.book("<a>" * 3_000_000),
    "one attribute of XML": lambda: test_xml_2003.book(f'<a b="{"1" * 18 * MEGABYTE}"/>'),
    "100 MB in 100 KB": lambda: raw_workbook(one_attribute(100 * MEGABYTE)),
}


def read_and_measure(content: bytes, results: Connection) -> None:
    """Send the memory and the seconds that refusing takes; nothing if it is not refused."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        for _row in open_table(lambda: Bytes(content), "a", len(content)).rows:
            pass
    except Unreadable:
        after = resource.getrusage(resource.RUSAGE_SELF)
        memory = (after.ru_maxrss - before.ru_maxrss) * 1024
        results.send((memory, after.ru_utime - before.ru_utime))
    results.close()
    os._exit(0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_workbook_is_refused_with_little_memory_and_time(kind: str) -> None:
    """In a process of its own, because the most memory of this one is that of earlier tests."""
    results, sender = Pipe(duplex=False)
    process = get_context("fork").Process(target=read_and_measure, args=(HOSTILE[kind](), sender))
    process.start()
    sender.close()
    try:
        memory, seconds = results.recv()
    finally:
        process.join(60)
    assert memory < MOST_MEMORY
    # Processor time, with room for a slow machine: no attack may take a task's 90 seconds.
    assert seconds < 20


def test_a_long_tag_is_given_up_soon() -> None:
    book = Workbook(io.BytesIO(raw_workbook(one_attribute(8 * MEGABYTE))), "a.xlsx")
    with pytest.raises(Unreadable, match="file_unreadable"):
        list(book.rows())
    assert book.bytes_read < 2 * xml_parser.MAX_TOKEN


def test_depth_is_counted_and_not_the_number_of_elements() -> None:
    nested = "<a>" * 20 + "</a>" * 20
    book = Workbook(io.BytesIO(raw_workbook(nested * 1_000 + "<row><c><v>1</v></c></row>")), "a")
    assert list(book.rows()) == [(1, ["1"])]


def test_repetitive_workbook_of_an_office_is_read() -> None:
    """100,000 like rows: as repetitive as a real file can be."""
    row = '<row r="{0}" spans="1:2"><c r="A{0}" s="1"><v>13912345678</v></c></row>'
    sheet = "".join(row.format(number) for number in range(1, 100_001))
    content = raw_workbook(sheet + " " * (SMALL // 10))
    book = Workbook(io.BytesIO(content), "a.xlsx")
    assert sum(1 for _ in book.rows()) == 100_000


def lying_workbook(declared: int) -> bytes:
    """A workbook whose directory states another size of the sheet than it has."""
    content = raw_workbook("<row><c><v>1</v></c></row>" * 1_000)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        true = file.getinfo("xl/worksheets/sheet1.xml").file_size
    return content.replace(true.to_bytes(4, "little"), declared.to_bytes(4, "little"))


@pytest.mark.parametrize("declared", [0, 10, 26_000, 2**31])
def test_lying_sizes_are_refused(declared: int) -> None:
    with pytest.raises(Unreadable, match="file_unreadable"):
        list(Workbook(io.BytesIO(lying_workbook(declared)), "a.xlsx").rows())


@pytest.mark.django_db
@pytest.mark.parametrize("sheet", ["<a>" * 100_000, one_attribute(4 * MEGABYTE)])
def test_batch_of_a_hostile_workbook_is_unreadable_at_the_first_try(sheet: str) -> None:
    batch = make_batch(raw_workbook(sheet))
    importer.run(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (BatchState.UNREADABLE, "file_unreadable")
    assert batch.reading_tries == 1


@pytest.mark.django_db
def test_what_takes_too_much_memory_all_the_same_ends_as_unreadable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hungry(*_: object, **__: object) -> object:
        return [bytearray(16 * MEGABYTE) for _number in itertools.count()]

    monkeypatch.setattr(importer, "MAX_MEMORY", 64 * MEGABYTE)
    monkeypatch.setattr(importer, "open_table", hungry)
    before = resource.getrlimit(resource.RLIMIT_AS)
    batch = make_batch(b"13912345678")
    importer.run(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (BatchState.UNREADABLE, "file_unreadable")
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_the_limit_ends_with_the_work() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), memory_limit(32 * MEGABYTE):
        bytearray(256 * MEGABYTE)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert len(bytearray(256 * MEGABYTE)) == 256 * MEGABYTE
