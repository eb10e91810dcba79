from . import machinery, staff

__all__ = ["staff"]

machinery.register()
