"""Keep and forget the pairs of app and country that a person rents often."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User

from .models import Favourite

MOST: Final = 12

Pair = tuple[str, str]
"""App code and country code."""


def favourites_of(person: User, provider: str) -> list[Pair]:
    """In the order in which they were added."""
    rows = Favourite.objects.filter(person=person, provider=provider)
    return list(rows.values_list("project", "region")[:MOST])


def add(person: User, provider: str, pair: Pair) -> bool:
    """False: the person has as many as the form shows."""
    project, region = pair
    known = Favourite.objects.filter(person=person, provider=provider)
    if known.filter(project=project, region=region).exists():
        return True
    if known.count() >= MOST:
        return False
    # A second click at the same time makes no second row.
    Favourite.objects.get_or_create(
        person=person, provider=provider, project=project, region=region
    )
    return True


def remove(person: User, provider: str, pair: Pair) -> None:
    project, region = pair
    Favourite.objects.filter(
        person=person, provider=provider, project=project, region=region
    ).delete()
