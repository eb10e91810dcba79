"""Admin pages of rented numbers and their costs."""

from .findings import FindingAdmin
from .orders import OrderAdmin, ProjectAdmin, RegionAdmin
from .transactions import TransactionAdmin

__all__ = ["FindingAdmin", "OrderAdmin", "ProjectAdmin", "RegionAdmin", "TransactionAdmin"]
