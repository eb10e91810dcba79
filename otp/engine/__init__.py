"""The engine's work source for codes."""
