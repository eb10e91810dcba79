"""One file per provider. See `providers.gateway.client` for what a file declares."""
