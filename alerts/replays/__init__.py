"""What rules would have found in the last days, from what is kept of that time."""
