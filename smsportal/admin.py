from . import daily_limits, staff
from .machinery.register import register

__all__ = ["daily_limits", "staff"]

register()
