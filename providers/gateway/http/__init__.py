"""HTTP that knows whether a request had begun to be written. Every provider call uses it."""
