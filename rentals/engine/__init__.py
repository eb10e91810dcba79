"""Orders, cancels, look-ups and lists as work for the engine."""
