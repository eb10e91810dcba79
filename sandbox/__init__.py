"""The sandbox: simulates the four providers over real HTTP, in memory, with switchable faults.

It is a program of its own and imports `requests` only.
"""
