"""Labels and texts of accounts, calls and callbacks."""
