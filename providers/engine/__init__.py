"""The one executor: leased loops in a queue cluster of their own make every provider call.

`sources` is what the apps above register; `loop` claims their work, has it done by a
pool of threads and records it; `leases` says which loop serves which account; `kick`
starts loops. Safety lies in each row's own claim, never in the lease or the queue.
"""
