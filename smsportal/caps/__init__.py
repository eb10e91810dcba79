"""The pages on which managers set caps and exempt from them."""
