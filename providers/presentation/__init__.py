"""How accounts and callbacks are shown."""
