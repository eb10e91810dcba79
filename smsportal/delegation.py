"""Who may change whom: nobody gives, or takes over, more than they hold themselves."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.db.models import Count, Q, QuerySet

from .roles import GRANTABLE_APPS

Actor = User | AbstractBaseUser | AnonymousUser


def permissions_of(user: Actor) -> QuerySet[Permission]:
    """Every permission given to a person, directly or by a role, whether active or not.

    Django says that an inactive user holds none; whoever resets the password of one and
    activates it would then gain what the account was given before.
    """
    given = Q(user__pk=user.pk) | Q(group__user__pk=user.pk)
    return Permission.objects.filter(pk__in=Permission.objects.filter(given).values("pk"))


def may_edit(actor: Actor, target: User) -> bool:
    """May `actor` edit `target`, reset the password, or deactivate?"""
    if not isinstance(actor, User):
        return False
    if actor.is_superuser:
        return True
    if target.is_superuser:
        return False
    return not permissions_of(target).exclude(pk__in=permissions_of(actor).values("pk")).exists()


def grantable_roles(actor: Actor) -> QuerySet[Group]:
    """The roles that hold nothing beyond what `actor` holds."""
    roles = Group.objects.order_by("pk")
    if isinstance(actor, User) and actor.is_superuser:
        return roles
    beyond = ~Q(permissions__in=permissions_of(actor).values("pk")) & Q(permissions__isnull=False)
    return roles.annotate(beyond=Count("permissions", filter=beyond)).filter(beyond=0)


def grantable_permissions(actor: Actor) -> QuerySet[Permission]:
    """Single permissions beside the roles; those of the portal's own apps."""
    ours = Permission.objects.filter(content_type__app_label__in=GRANTABLE_APPS)
    ours = ours.select_related("content_type")
    if isinstance(actor, User) and actor.is_superuser:
        return ours
    return ours.filter(pk__in=permissions_of(actor).values("pk"))
