"""How rented numbers are shown: labels, explanations, timelines, visibility."""
