"""Messages as work for the engine."""
