"""The contract between the portal and any provider. It does not import Django.

Provider data and ours never mix. Data from a provider is called `answer`, `raw` or `callback`; the
portal works with the types of `vocabulary` and `events`. A client (`providers.clients`) converts
between them.
"""
