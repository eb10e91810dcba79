"""Attacks on the portal, each of which must fail."""
