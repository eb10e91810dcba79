"""Rented numbers, what the provider tells of them, and the money that it books for them."""

from .catalogue import Project, Region
from .money import Finding, Transaction
from .order import Cancel, FoundOrder, Order
from .watching import Reading, Watch

__all__ = [
    "Cancel",
    "Finding",
    "FoundOrder",
    "Order",
    "Project",
    "Reading",
    "Region",
    "Transaction",
    "Watch",
]
