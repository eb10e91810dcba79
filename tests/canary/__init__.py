"""Secrets, callback tokens and codes appear in clear only where they belong.

Planted values that cannot be mistaken stand for all of them. The test puts the portal through
everything that it does, failures first. It then searches everything that the portal stored or
showed:

- every column of every table, with packed values decoded, and the database's file,
- the cache,
- the log of each process at DEBUG,
- each page that a role can reach,
- a dump of the database,
- the command lines of the processes.

This runs once with the portal in the test's process and once with real processes. Slow runs use
every echo mode of the provider. Pages are searched with the first database only.
"""
