"""Pages about what is forgotten."""
