"""Whom the provider's word lets in, and with which roles.

The groups at the provider decide about the roles that OIDC_ROLES names, at every sign-in. Other
roles and single permissions stay as staff gave them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core.acts import record_act
from core.names import given_name
from core.people import comparable, person_name
from providers.approvals import limit_switch

from ..local_accounts import is_emergency
from ..owner_notices import CONNECTED_BY_EMAIL, tell_once_more
from ..sessions import end_sessions
from .configuration import IdentityProvider
from .refusal_words import Refusal

logger = logging.getLogger(__name__)
LONGEST_NAME: Final = 150


class NotAdmitted(Exception):
    def __init__(self, why: Refusal, person: User | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.person = person


def admit(account: SocialAccount, claims: Mapping[str, Any], provider: IdentityProvider) -> User:
    """The person behind `claims`, found, connected or created, with the roles of their groups.

    Raises `NotAdmitted`. What was taken away before that stays taken away.
    """
    wanted = roles_of(claims, provider)
    with transaction.atomic():
        person = account.user if account.pk else _by_email(claims, provider)
        if person is not None:
            # The lock keeps two sign-ins from mixing their changes of the roles.
            person = User.objects.select_for_update().get(pk=person.pk)
        if person is not None and (person.is_superuser or is_emergency(person)):
            raise NotAdmitted(Refusal.ADMINISTRATOR, person)
        if person is not None and account.pk and not wanted:
            _follow_groups(person, [], provider)
            end_sessions(person)
    if not wanted:
        raise NotAdmitted(Refusal.NO_ROLE, person)
    if person is not None and not person.is_active:
        raise NotAdmitted(Refusal.CLOSED, person)
    if person is None and not provider.creates_people:
        raise NotAdmitted(Refusal.UNKNOWN)
    try:
        return _let_in(person, account, claims, provider, wanted)
    except IntegrityError:
        # Two first sign-ins of one person at the same moment: the other one has won.
        raise NotAdmitted(Refusal.INVALID, person) from None


def _let_in(
    person: User | None,
    account: SocialAccount,
    claims: Mapping[str, Any],
    provider: IdentityProvider,
    wanted: list[Group],
) -> User:
    with transaction.atomic():
        if person is None:
            person = _created(claims)
            record_act("staff.from_provider", by=None, subject=f"user:{person.pk}")
            connect(account, person)
        elif not account.pk:
            _hand_over(person)
            connect(account, person)
        _follow_groups(person, wanted, provider)
    return person


def connect(account: SocialAccount, person: User) -> None:
    account.user = person
    account.save()


def roles_of(claims: Mapping[str, Any], provider: IdentityProvider) -> list[Group]:
    """The roles of the groups that the provider names."""
    said = claims.get(provider.groups_claim)
    groups = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    names = {
        provider.roles[one] for one in groups if isinstance(one, str) and one in provider.roles
    }
    found = list(Group.objects.filter(name__in=names).order_by("pk"))
    if missing := names - {role.name for role in found}:
        logger.warning("OIDC_ROLES names roles that do not exist: %s", ", ".join(sorted(missing)))
    return found


def _follow_groups(person: User, wanted: list[Group], provider: IdentityProvider) -> None:
    held = list(person.groups.filter(name__in=set(provider.roles.values())))
    gained = [role for role in wanted if role not in held]
    lost = [role for role in held if role not in wanted]
    if not gained and not lost:
        return
    person.groups.add(*gained)
    person.groups.remove(*lost)
    record_act(
        "staff.roles_by_groups",
        by=None,
        subject=f"user:{person.pk}",
        gained=[role.name for role in gained],
        lost=[role.name for role in lost],
        roles=sorted(person.groups.values_list("name", flat=True)),
    )
    limit_switch.look()


def _by_email(claims: Mapping[str, Any], provider: IdentityProvider) -> User | None:
    """The one local account with the e-mail address that the provider has verified."""
    email = claims.get("email")
    if not provider.links_by_email or claims.get("email_verified") is not True:
        return None
    if not isinstance(email, str) or "@" not in email:
        return None
    people = list(User.objects.filter(email__iexact=email)[:2])
    if len(people) != 1 or SocialAccount.objects.filter(user=people[0], provider=provider.key):
        return None
    return people[0]


def _hand_over(person: User) -> None:
    """Close the other ways into an account that was found by its address.

    People type their own address. Otherwise, somebody could type that of a colleague, wait until
    the provider gives the account the colleague's roles, and use them with the old password.
    """
    person.set_unusable_password()
    person.save(update_fields=["password"])
    Authenticator.objects.filter(user=person).delete()
    end_sessions(person)
    record_act("staff.connected_by_email", by=None, subject=f"user:{person.pk}")
    tell_once_more(person, CONNECTED_BY_EMAIL)


def _created(claims: Mapping[str, Any]) -> User:
    name = str(claims.get("preferred_username") or claims.get("email") or "").strip()
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        raise NotAdmitted(Refusal.NAME_TAKEN) from None
    if len(name) > LONGEST_NAME or _is_taken(name):
        raise NotAdmitted(Refusal.NAME_TAKEN)
    person = User(username=name, is_staff=True)
    person.set_unusable_password()
    first, last = (_clean(claims.get(part)) for part in ("given_name", "family_name"))
    if (first or last) and not _is_taken(f"{first} {last}".strip()):
        person.first_name, person.last_name = first, last
    person.save()
    return person


def _clean(name: object) -> str:
    """Without what would make a name look like another one."""
    return given_name(str(name or ""))[:LONGEST_NAME]


def _is_taken(name: str) -> bool:
    """Whether readers would take the name for that of a person who is there."""
    wanted = comparable(name)
    return any(
        wanted in (comparable(person_name(one)), comparable(one.username))
        for one in User.objects.all()
    )
