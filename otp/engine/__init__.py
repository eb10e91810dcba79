"""Checks of codes as work for the engine."""
