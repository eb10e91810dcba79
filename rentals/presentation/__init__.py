"""How rented numbers are shown: words, states, stories."""
