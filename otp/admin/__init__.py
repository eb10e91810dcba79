"""Admin pages of code sessions."""

from .sessions import SessionAdmin

__all__ = [
    "SessionAdmin",
]
