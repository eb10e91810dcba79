"""Pages about alerts."""

from .sent_list import DeliveryAdmin

__all__ = [
    "DeliveryAdmin",
]
