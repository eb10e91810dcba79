"""How messages and batches are shown: words, states, stories."""
