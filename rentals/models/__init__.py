"""Rented numbers, what the provider states about them, and the money that it books for them."""

from .catalogue import Project, Region
from .favourite import Favourite
from .hand_over import HandOver
from .money import Finding, Transaction
from .order import Cancel, FoundOrder, Order
from .watching import Reading, Watch

__all__ = [
    "Cancel",
    "Favourite",
    "Finding",
    "FoundOrder",
    "HandOver",
    "Order",
    "Project",
    "Reading",
    "Region",
    "Transaction",
    "Watch",
]
