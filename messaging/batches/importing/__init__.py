"""Read a file or pasted list into rows that each have a verdict."""
