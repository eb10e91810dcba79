"""Privilege delegation: staff cannot grant or take over permissions they lack."""

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
    """Whether `actor` may edit or deactivate `target`, or reset the password."""
    if not isinstance(actor, User):
        return False
    if actor.is_superuser:
        return True
    if target.is_superuser:
        return False
    return not permissions_of(target).exclude(pk__in=permissions_of(actor).values("pk")).exists()


def grantable_roles(actor: Actor) -> QuerySet[Group]:
    """The roles that hold no permission that `actor` lacks."""
    roles = Group.objects.order_by("pk")
    if isinstance(actor, User) and actor.is_superuser:
        return roles
    beyond = ~Q(permissions__in=permissions_of(actor).values("pk")) & Q(permissions__isnull=False)
    return roles.annotate(beyond=Count("permissions", filter=beyond)).filter(beyond=0)


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
