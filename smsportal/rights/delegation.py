"""Privilege delegation: staff act only on people who hold less than they do.

Nobody edits a peer, gives a peer's permissions, or acts as one. Otherwise two accounts of one
person could agree with each other.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.db.models import Count, Q, QuerySet

from .roles import GRANTABLE

MODEL_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
Actor = User | AbstractBaseUser | AnonymousUser


def permissions_of(user: Actor) -> QuerySet[Permission]:
    """Every permission that a user holds, directly or by a role, even while inactive.

    Django reports no permissions for an inactive user. By that rule, staff could reset the
    password of such a user, activate the account and gain its permissions.
    """
    granted = Q(user__pk=user.pk) | Q(group__user__pk=user.pk)
    return Permission.objects.filter(pk__in=Permission.objects.filter(granted).values("pk"))


def may_edit(actor: Actor, target: User) -> bool:
    """Whether `actor` may edit or deactivate `target`.

    People edit their own name, but not their own permissions (`smsportal.people.staff`).
    """
    if not isinstance(actor, User):
        return False
    return actor.is_superuser or actor.pk == target.pk or is_above(actor, target)


def is_above(actor: User, target: User) -> bool:
    """Whether `target` holds a part, but not all, of what `actor` holds."""
    if actor.is_superuser or target.is_superuser:
        return actor.is_superuser and not target.is_superuser
    return holds_more(actor, permissions_of(target))


def holds_more(actor: User, permissions: QuerySet[Permission]) -> bool:
    """Whether `permissions` are a strict subset of those of `actor`."""
    if actor.is_superuser:
        return True
    ours = set(permissions_of(actor).values_list("pk", flat=True))
    return set(permissions.values_list("pk", flat=True)) < ours


def may_reset_password(actor: Actor, target: User) -> bool:
    """Whether `actor` may make a link by which `target` chooses a new password.

    Superusers have no one above them; `manage.py changepassword` is for them.
    """
    return isinstance(actor, User) and actor.pk != target.pk and is_above(actor, target)


def may_limit(actor: Actor, target: User | Group) -> bool:
    """Whether `actor` may set the daily limit of a person or a role. Nobody may set their own."""
    if not isinstance(actor, User):
        return False
    if isinstance(target, User):
        return actor.pk != target.pk and (actor.is_superuser or is_above(actor, target))
    holds_it = actor.groups.filter(pk=target.pk).exists()
    return not holds_it and holds_more(actor, target.permissions.all())


def grantable_roles(actor: Actor) -> QuerySet[Group]:
    """The roles that hold a part, but not all, of what `actor` holds."""
    roles = Group.objects.order_by("pk")
    if not isinstance(actor, User):
        return roles.none()
    if actor.is_superuser:
        return roles
    ours = permissions_of(actor)
    beyond = ~Q(permissions__in=ours.values("pk")) & Q(permissions__isnull=False)
    counted = roles.annotate(beyond=Count("permissions", filter=beyond), held=Count("permissions"))
    return counted.filter(beyond=0, held__lt=ours.count())


def grantable_permissions(actor: Actor) -> QuerySet[Permission]:
    """The single permissions that `actor` may grant."""
    ours = Permission.objects.filter(GRANTABLE).select_related("content_type")
    if isinstance(actor, User) and actor.is_superuser:
        return ours
    return ours.filter(pk__in=permissions_of(actor).values("pk"))


def grantors(permission: str) -> list[User]:
    """Active staff who can grant `app.codename`, alone or with a role; superusers come last."""
    label, _, codename = permission.partition(".")
    found = Permission.objects.filter(content_type__app_label=label, codename=codename).first()
    if found is None:
        return []
    people = User.objects.filter(is_active=True, is_staff=True).order_by("is_superuser", "username")
    changers = User.objects.with_perm("auth.change_user", backend=MODEL_BACKEND)
    able = people.filter(pk__in=changers.values("pk"))
    return [person for person in able if _can_grant(person, found)]


def _can_grant(actor: User, permission: Permission) -> bool:
    if actor.is_superuser or grantable_permissions(actor).filter(pk=permission.pk).exists():
        return True
    return grantable_roles(actor).filter(permissions=permission).exists()
