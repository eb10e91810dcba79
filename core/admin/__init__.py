"""The page kit: base classes and helpers for every admin page."""
