from . import entries  # noqa: F401
