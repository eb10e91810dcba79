"""Kill engine processes at random moments, then compare the portal's rows with the sandbox's book.

Calls of every kind are in flight during the kills. `python -m benchmarks.chaos --help` lists the
options. Clusters are restarted as by the portal's supervisor, and missing loops as by its
schedule, only more often than once a minute. There is no other recovery.
"""
