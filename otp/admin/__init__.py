"""The pages about codes."""

from .sessions import SessionAdmin

__all__ = [
    "SessionAdmin",
]
