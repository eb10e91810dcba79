"""Admin pages for messages, batches, templates and the do-not-send list."""

from .batches import BatchAdmin, TemplateAdmin
from .do_not_send import DoNotSendAdmin
from .messages import MessageAdmin

__all__ = [
    "BatchAdmin",
    "DoNotSendAdmin",
    "MessageAdmin",
    "TemplateAdmin",
]
