"""Figures: a roll-up of messages, codes and orders, and the pages that show it.

Every figure is read from the roll-up, never counted over the rows themselves.
"""
