"""Words about what is forgotten."""
