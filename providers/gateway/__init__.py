"""The contract between the portal and any provider. It needs no Django.

Ours and theirs never mix: what a provider sends is called `answer`, `raw` or
`callback`; what the portal works with are the words of `vocabulary` and
`events`. A client (`providers.clients`) turns the one into the other.
"""
