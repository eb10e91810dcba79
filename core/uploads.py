"""Files that staff upload: too large a request is refused before any of it is kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MEGABYTE = 1024 * 1024


class UploadTooLarge(RequestDataTooBig):
    """The files of a request, not its fields."""


class CappedUpload(FileUploadHandler):
    """The first of the upload handlers. A file only a little too large still reaches its
    form, which keeps what else was typed."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - the name that Django gives it
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
