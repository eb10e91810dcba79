"""Kills engine processes at random moments while calls of every kind go out, then compares
the portal's rows with the books of the practice providers.

`python -m benchmarks.chaos --help` lists the options. The clusters are started again as the
portal's supervisor does it, and missing loops are asked for as its schedule does it each
minute, only more often. Nothing else helps them.
"""
