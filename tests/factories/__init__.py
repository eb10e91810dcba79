"""Factories: rows with sensible defaults, made in one line."""
