"""Run the whole portal for a long time while everything around it fails, and check the books.

Real portal processes work for sandbox providers. Staff's forms and the providers' callbacks come
in by HTTP. Processes are killed, hosts restarted, and the database is stopped, read-only, full, or
put back from a backup. `python -m benchmarks.soak --help` lists the options.
"""
