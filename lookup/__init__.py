"""Finding things: the search over all pages, and the page of a phone number."""
