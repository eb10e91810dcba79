"""How messages and batches are shown: labels, explanations, timelines, visibility."""
