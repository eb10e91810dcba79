"""One process loads the portal's code. The programs are forks of it, so they share its memory.

`server` is that process, `client` is what the supervisor knows of it. Linux only: elsewhere, each
program is started by its command and loads the code for itself.
"""
