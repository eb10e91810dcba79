"""What the engine does for messages: claim, send, record."""
