"""Messages, their reports, and the batches that they may come from."""

from .batch import Batch, DoNotSend, FilePart, StagedRow, Template
from .message import Message, Report, reference

__all__ = [
    "Batch",
    "DoNotSend",
    "FilePart",
    "Message",
    "Report",
    "StagedRow",
    "Template",
    "reference",
]
