"""The engine: loops in a queue cluster of their own make every provider call.

Apps register a `work_source`. `loop` claims its rows, runs them in a pool of threads and records
the results. `leases` assigns accounts to loops. `wake` starts loops. Safety comes from the claim
on each row, never from the lease or the queue.
"""
