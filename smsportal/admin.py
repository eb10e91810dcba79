from .caps import cap_admin, exemption_admin
from .machinery.register import register
from .people import staff

__all__ = ["cap_admin", "exemption_admin", "staff"]

register()
