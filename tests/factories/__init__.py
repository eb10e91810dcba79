"""Rows in one line, with sensible defaults."""
