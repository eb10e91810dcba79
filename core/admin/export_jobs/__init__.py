"""Exports of long lists: the queue writes them in slices, and the database holds their parts."""
