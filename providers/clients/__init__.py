"""One file per provider. `providers.gateway.client` explains what a file declares."""
