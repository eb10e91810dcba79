"""The audit: who did what, in sentences, sealed into a chain that shows what was changed."""
