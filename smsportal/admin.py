from . import daily_limits, staff, superuser_admin

__all__ = ["daily_limits", "staff"]

superuser_admin.register()
