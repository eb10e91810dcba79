"""What is forgotten: numbers that are erased, what is kept for how long, and legal holds."""
