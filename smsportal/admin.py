from . import daily_limits, machinery, staff

__all__ = ["daily_limits", "staff"]

machinery.register()
