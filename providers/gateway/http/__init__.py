"""The one way out: HTTP that knows whether a request was begun."""
