"""A second set of providers, written from their documents alone.

They share no code with the clients and none with the sandbox, so a misreading of a document that
those two have in common shows here. Each of them writes its answers in one of many odd `Writing`s.
"""
