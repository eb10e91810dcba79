"""Mutation tests: insert small faults into the code, one at a time, and expect a test to fail."""
