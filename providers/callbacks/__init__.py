"""The inbox: what providers push to us is stored first, answered, and understood later.

`accepting` takes a request and stores it with one INSERT; `tokens` knows which addresses
are ours; `digesting` reads what was stored and tells the apps above (`subscriptions`);
`health` says whether reports still come; `self_test` calls our own address.
"""
