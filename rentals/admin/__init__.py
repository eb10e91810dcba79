"""The pages about rented numbers and the money that they cost."""

from .findings import FindingAdmin
from .orders import OrderAdmin, ProjectAdmin, RegionAdmin
from .transactions import TransactionAdmin

__all__ = ["FindingAdmin", "OrderAdmin", "ProjectAdmin", "RegionAdmin", "TransactionAdmin"]
