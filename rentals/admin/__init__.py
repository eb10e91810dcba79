"""The pages about rented numbers and the money that they cost."""

from .money import FindingAdmin, TransactionAdmin
from .orders import OrderAdmin, ProjectAdmin, RegionAdmin

__all__ = ["FindingAdmin", "OrderAdmin", "ProjectAdmin", "RegionAdmin", "TransactionAdmin"]
