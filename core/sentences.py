"""Sentences that follow each other in one line of a page."""

from __future__ import annotations

from functools import reduce

from django.utils.translation import gettext


def join_sentences(*parts: object) -> str:
    """The sentences that are not empty, with what the language puts between two of them.

    English puts a blank there, Chinese nothing.
    """
    texts = [text for part in parts if (text := str(part))]
    return reduce(_join_two, texts) if texts else ""


def _join_two(first: str, second: str) -> str:
    return gettext("%(first)s %(second)s") % {"first": first, "second": second}
