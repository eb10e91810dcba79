"""Reasons why the recipients of a batch cannot be read, with explanations for staff."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop

from core.money_lines import MoneyLine
from providers.error_texts import register_reason
from providers.reason_text import ReasonText


class Unreadable(Exception):
    """The file is rejected as a whole. `values` fill the placeholders of the explanation."""

    def __init__(self, problem: FileProblem, **values: Any) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.values = values


class FileProblem(StrEnum):
    WRONG_KIND = "file_wrong_kind"
    TOO_LARGE = "file_too_large"
    TOO_MANY_ROWS = "file_too_many_rows"
    EMPTY = "file_empty"
    NO_NUMBER_COLUMN = "file_no_number_column"
    UNREADABLE = "file_unreadable"
    ENCODING = "file_encoding"
    PROTECTED = "file_protected"
    OLD_EXCEL = "file_old_excel"
    BINARY_EXCEL = "file_binary_excel"
    NUMBERS = "file_numbers"
    OPEN_DOCUMENT = "file_open_document"
    WEB_PAGE = "file_web_page"
    XML = "file_xml"
    QUOTES = "file_quotes"
    UNKNOWN_COLUMNS = "text_unknown_columns"
    LOOKALIKES = "text_lookalikes"
    GAVE_UP = "reading_gave_up"


WORDS = {
    FileProblem.WRONG_KIND: ReasonText(
        gettext_noop("Choose a CSV, XLSX or ODS file."),
        gettext_noop("“%(name)s” is a different file type."),
        "",
        MoneyLine.NOT_SENT,
    ),
    FileProblem.TOO_LARGE: ReasonText(
        gettext_noop("The file is larger than %(most)s MB."),
        "",
        gettext_noop("Split it."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.TOO_MANY_ROWS: ReasonText(
        gettext_noop("The file has more than %(most)s rows."),
        "",
        gettext_noop("Split it."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.EMPTY: ReasonText(
        gettext_noop("The file has no rows."), "", "", MoneyLine.NOT_SENT
    ),
    FileProblem.NO_NUMBER_COLUMN: ReasonText(
        gettext_noop("No column contains phone numbers."),
        gettext_noop("Columns: %(columns)s."),
        gettext_noop("Choose the column, or add one."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.UNREADABLE: ReasonText(
        gettext_noop("The file cannot be read."),
        gettext_noop("It is password-protected, damaged or in an unknown encoding."),
        gettext_noop("Save it as CSV UTF-8 and upload it again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.ENCODING: ReasonText(
        gettext_noop("The file is not in the encoding %(encoding)s."),
        gettext_noop("Some of its bytes have no meaning in this encoding."),
        gettext_noop("Choose another encoding, or save the file as CSV UTF-8."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.PROTECTED: ReasonText(
        gettext_noop("The workbook is protected by a password."),
        "",
        gettext_noop("Save it without a password and upload it again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.OLD_EXCEL: ReasonText(
        gettext_noop("“%(name)s” is an Excel 97–2003 workbook."),
        gettext_noop("The portal reads CSV, XLSX and ODS files."),
        gettext_noop("Open it in Excel, save it as XLSX and upload it again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.BINARY_EXCEL: ReasonText(
        gettext_noop("“%(name)s” is a binary Excel workbook (XLSB)."),
        gettext_noop("The portal reads CSV, XLSX and ODS files."),
        gettext_noop("Open it in Excel, save it as XLSX and upload it again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.NUMBERS: ReasonText(
        gettext_noop("“%(name)s” is an Apple Numbers document."),
        gettext_noop("The portal reads CSV, XLSX and ODS files."),
        gettext_noop("In Numbers, export it to Excel or CSV and upload that file."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.OPEN_DOCUMENT: ReasonText(
        gettext_noop("“%(name)s” is an OpenDocument file without a sheet."),
        gettext_noop("The portal reads CSV, XLSX and ODS files."),
        gettext_noop("Open it in LibreOffice, save it as ODS or XLSX and upload it again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.WEB_PAGE: ReasonText(
        gettext_noop("“%(name)s” is a web page without a table."),
        gettext_noop("The portal reads CSV, XLSX and ODS files."),
        gettext_noop("Open it in Excel, save it as XLSX and upload it again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.XML: ReasonText(
        gettext_noop("“%(name)s” is an XML file without a sheet."),
        gettext_noop("The portal reads CSV, XLSX and ODS files."),
        gettext_noop("Open it in Excel, save it as XLSX and upload it again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.QUOTES: ReasonText(
        gettext_noop("Row %(row)s has a misplaced quotation mark."),
        gettext_noop(
            "Or a quotation mark is never closed, so the rows after it cannot be separated."
        ),
        gettext_noop("Correct this row and upload the file again."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.UNKNOWN_COLUMNS: ReasonText(
        gettext_noop("The text uses columns that are not in the file: %(unknown)s."),
        gettext_noop("Columns: %(columns)s."),
        gettext_noop("Change the text, or upload another file."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.LOOKALIKES: ReasonText(
        gettext_noop("This would be sent as it is, without the column's value: %(written)s."),
        gettext_noop("Only a column name in single braces is replaced: {%(column)s}."),
        gettext_noop("Correct the text, or put a backslash before these characters to send them."),
        MoneyLine.NOT_SENT,
    ),
    FileProblem.GAVE_UP: ReasonText(
        gettext_noop("Reading this file failed several times."),
        "",
        gettext_noop("Save it as CSV UTF-8 and upload it again."),
        MoneyLine.NOT_SENT,
    ),
}


def register() -> None:
    for problem, words in WORDS.items():
        register_reason(problem, words)
