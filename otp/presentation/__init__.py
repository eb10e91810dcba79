"""How code sessions are presented: labels, texts, timeline."""
