"""Callbacks of providers: stored first, answered, and processed later.

`receive` takes a request and stores it with one INSERT (`store`). `tokens` knows the valid
addresses. `wake` starts the processing soon. `process` lets the client parse what was stored and
publishes its events to the apps above (`providers.events`); `retry` says when it is tried again.
`health` reports whether callbacks still arrive. `self_test` calls the portal's own address.
"""
