"""How code sessions are shown: words, states, stories."""
