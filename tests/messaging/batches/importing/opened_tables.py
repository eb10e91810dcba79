"""Open files as tables; a fixture closes them."""

from __future__ import annotations

import io
from contextlib import ExitStack

from messaging.batches.choices import Choices
from messaging.batches.importing.tables import Table, open_table
from messaging.batches.importing.xlsx_values import NumberedRow

OPENED = ExitStack()
DEFAULT = Choices()


class Bytes(io.BytesIO):
    """A file that knows how far it was read, as a stored file does."""

    @property
    def bytes_read(self) -> int:
        return self.tell()


def table_of(content: bytes, choices: Choices = DEFAULT) -> Table:
    table = open_table(lambda: Bytes(content), "list.ods", len(content), choices)
    OPENED.callback(table.close)
    return table


def rows_of(content: bytes, choices: Choices = DEFAULT) -> list[NumberedRow]:
    return list(table_of(content, choices).rows)
