"""Engine clusters are killed at random moments while messages go out; then the books of both
sides are compared. `python -m benchmarks.storm --help` lists what can be chosen.

The clusters are started again as the portal's supervisor does it, and new loops are asked
for as the schedule by the minute does it, only more often. Nothing else helps them.
"""
