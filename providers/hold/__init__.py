"""The hold: what keeps calls from being repeated on a database whose past cannot be trusted.

A restored backup holds rows that wait there and have been sent since. `fence` notices that the
database is older than what was done, and `begin` puts everything from before on hold until a
person decides about it.
"""
