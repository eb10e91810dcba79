"""Read-only pages over the tables of libraries: the queue, sign-ins, and changes of rows."""
