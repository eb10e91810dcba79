"""From a file or a pasted list to rows with a verdict each."""
