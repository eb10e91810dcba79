"""Searches for input that breaks the portal. `make fuzz` lets them search for longer."""
