"""Caps: how much may go out in a minute, an hour or 24 hours, and what is exempt from that."""
