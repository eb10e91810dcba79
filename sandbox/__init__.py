"""The four providers acted out over real HTTP, in memory, with switchable faults."""
