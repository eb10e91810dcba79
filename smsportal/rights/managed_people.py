"""Whose acts a manager may read: those of people who hold less than the manager does."""

from __future__ import annotations

from collections import defaultdict

from django.contrib.auth.models import Permission, User

from audit import subjects, visibility

from .delegation import permissions_of
from .roles import role_label


def managed_people(actor: User) -> set[int]:
    """The keys of the people whom `delegation.is_above` names, in three queries for all of them."""
    people = set(User.objects.filter(is_superuser=False).values_list("pk", flat=True))
    if actor.is_superuser:
        return people
    ours = set(permissions_of(actor).values_list("pk", flat=True))
    held: dict[int, set[int]] = defaultdict(set)
    for path in ("user__pk", "group__user__pk"):
        pairs = Permission.objects.filter(**{f"{path}__in": people}).values_list(path, "pk")
        for person, permission in pairs:
            held[person].add(permission)
    return {person for person in people if held[person] < ours}


def register() -> None:
    visibility.register_managed_people(managed_people)
    subjects.register_role_name(lambda role: role_label(role.name))
