"""Rejects uploads that are too large before storing any of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MEGABYTE = 1024 * 1024


class UploadTooLarge(RequestDataTooBig):
    """The files of a request, not its fields, are too large."""


class CappedUpload(FileUploadHandler):
    """The first upload handler. Rejects requests over twice the file limit.

    A file just over the limit still reaches its form, which keeps the other typed values.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > 2 * settings.BATCH_MEGABYTES * MEGABYTE:
            raise UploadTooLarge("The uploaded file is too large.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
