"""Work sources of the engine: orders, cancels, lookups and lists."""
