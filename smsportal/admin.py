from . import staff
from .caps import cap_admin, exemption_admin
from .machinery.register import register

__all__ = ["cap_admin", "exemption_admin", "staff"]

register()
