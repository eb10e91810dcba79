"""What the subjects of acts are called, and where they lead to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.people import person_name
from core.times import full_time
from messaging.models import DoNotSend, Template
from providers.journal import Resolver, register_subject_resolver
from providers.models import Account, Callback, Hold
from rentals.models import Finding, Project, Region

Name = Callable[[Any], str]
_role_name: list[Name] = [lambda role: str(role.name)]


def register_role_name(name: Name) -> None:
    """How the portal calls its roles."""
    _role_name[:] = [name]


def _resolver(model: type[Model], text: Promise, name: Name, url: Name) -> Resolver:
    def resolve(identities: Collection[str]) -> dict[str, tuple[str, str]]:
        found = model._default_manager.filter(pk__in=identities).order_by()
        return {str(one.pk): (str(text) % {"name": name(one)}, url(one)) for one in found}

    return resolve


def _page(name: str) -> Name:
    return lambda one: reverse(f"admin:{name}_change", args=[one.public_id])


def _of_subject(kind: str) -> Name:
    """The entries about it, for what not every reader may open."""
    return lambda one: f"{reverse('admin:audit_entry_changelist')}?subject={kind}:{one.pk}"


def _public_id(one: Any) -> str:
    return str(one.public_id)


def _code(one: Any) -> str:
    return str(one.code)


def _time(one: Any) -> str:
    return full_time(one.started_at)


def _role(one: Any) -> str:
    return _role_name[0](one)


_PERSON: Final = _resolver(User, _("staff member “%(name)s”"), person_name, _of_subject("user"))
_ROLE: Final = _("role “%(name)s”")
RESOLVERS: Final[dict[str, Resolver]] = {
    "user": _PERSON,
    "role": _resolver(Group, _ROLE, _role, _of_subject("role")),
    "group": _resolver(Group, _ROLE, _role, _of_subject("group")),
    "account": _resolver(
        Account, _("account “%(name)s”"), lambda one: str(one.name), _page("providers_account")
    ),
    "callback": _resolver(
        Callback, _("callback %(name)s"), _public_id, _page("providers_callback")
    ),
    "template": _resolver(
        Template, _("template “%(name)s”"), lambda one: str(one.name), _page("messaging_template")
    ),
    "donotsend": _resolver(
        DoNotSend, _("a number, in entry %(name)s"), _public_id, _page("messaging_donotsend")
    ),
    "finding": _resolver(Finding, _("finding %(name)s"), _public_id, _page("rentals_finding")),
    "project": _resolver(Project, _("app %(name)s"), _code, _of_subject("project")),
    "region": _resolver(Region, _("country %(name)s"), _code, _of_subject("region")),
    "hold": _resolver(Hold, _("the hold of %(name)s"), _time, _of_subject("hold")),
}
WITHOUT_PAGE: Final[dict[str, Promise]] = {
    "note": _("a note"),
    "export": _("an export"),
    "number": _("a number"),
}
"""Kinds of subjects that have no page, or are gone once nobody needs them."""


def register() -> None:
    for kind, resolver in RESOLVERS.items():
        register_subject_resolver(kind, resolver)
