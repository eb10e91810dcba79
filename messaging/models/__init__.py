"""Messages, their reports, and the batches that they may come from."""

from .batch import Batch, DoNotSend, Template, TemplateUse
from .batch_rows import FilePart, StagedRow
from .message import Message, Report, reference

__all__ = [
    "Batch",
    "DoNotSend",
    "FilePart",
    "Message",
    "Report",
    "StagedRow",
    "Template",
    "TemplateUse",
    "reference",
]
