"""The handbook in docs/, shown within the portal, so that it needs no Internet."""
