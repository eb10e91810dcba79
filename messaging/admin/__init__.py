"""Admin pages for messages, batches, templates and the do-not-send list."""

from .batches import BatchAdmin
from .do_not_send import DoNotSendAdmin
from .messages import MessageAdmin
from .templates import TemplateAdmin

__all__ = [
    "BatchAdmin",
    "DoNotSendAdmin",
    "MessageAdmin",
    "TemplateAdmin",
]
