"""The sentences of sign-ins, and of acts on staff, roles, limits and the portal itself."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe
from core.stored_texts import names, render
from providers.approvals import limit_switch
from providers.models import DailyLimit

from .rights.roles import roles_text
from .sign_in.oidc.refusal_words import WORDS
from .sign_in.password_links import USED


def _user_fields(fields: object) -> object:
    return render(names(User._meta.label_lower, [str(one) for one in _many(fields)]))


def _role_fields(fields: object) -> object:
    return render(names(Group._meta.label_lower, [str(one) for one in _many(fields)]))


def _many(values: object) -> list[object]:
    return values if isinstance(values, list) else []


def _role_names(found: object) -> str:
    return roles_text([str(one) for one in _many(found)], User())


def _refusal(why: object) -> str:
    return str(WORDS.get(str(why), why))


def _limited(what: object) -> str:
    return str(dict(DailyLimit.What.choices).get(str(what), what))


def register() -> None:
    staff = {"fields": _user_fields, "roles": _role_names}
    describe("sign_in", Area.SIGN_IN, _("Signed in"))
    describe("sign_out", Area.SIGN_IN, _("Signed out"))
    describe(
        "sign_in.fail",
        Area.SIGN_IN,
        _("Failed to sign in: %(subject)s"),
        _("Failed to sign in with an unknown name"),
    )
    describe(
        "sign_in.lock",
        Area.SIGN_IN,
        _("Was locked out after failed sign-ins: %(subject)s"),
        _("Was locked out after failed sign-ins with an unknown name"),
    )
    describe(
        "staff.add",
        Area.STAFF,
        _("Added %(subject)s with these roles: %(roles)s"),
        _("Added %(subject)s without a role"),
        shown=staff,
    )
    describe(
        "staff.change",
        Area.STAFF,
        _("Changed %(subject)s: %(fields)s. Roles now: %(roles)s"),
        _("Changed %(subject)s: %(fields)s"),
        _("Changed %(subject)s"),
        shown=staff,
    )
    describe(
        "staff.profile",
        Area.STAFF,
        _("Changed their own profile: %(fields)s"),
        _("Changed their own profile"),
        shown=staff,
    )
    describe("staff.password", Area.STAFF, _("Changed their own password"))
    describe("staff.link", Area.STAFF, _("Created a one-time link for %(subject)s"))
    describe(USED, Area.STAFF, _("Chose a password with a one-time link"))
    describe("role.add", Area.STAFF, _("Added %(subject)s"))
    describe(
        "role.change",
        Area.STAFF,
        _("Changed %(subject)s: %(fields)s"),
        _("Changed %(subject)s"),
        shown={"fields": _role_fields},
    )
    limit = {"what_is_limited": _limited}
    describe(
        "limit.set",
        Area.STAFF,
        _("Set a daily limit of %(subject)s: %(what_is_limited)s, %(most)s"),
        _("Set a daily limit of %(subject)s"),
        shown=limit,
    )
    describe(
        "limit.delete",
        Area.STAFF,
        _("Removed the daily limit of %(subject)s: %(what_is_limited)s, %(most)s"),
        _("Removed the daily limit of %(subject)s"),
        shown=limit,
    )
    describe(
        "approval_limit.change", Area.STAFF, _("Changed the limits without approval of %(subject)s")
    )
    describe(
        limit_switch.OFF,
        Area.STAFF,
        _("Approval limits no longer apply: fewer than two people can approve"),
    )
    describe(limit_switch.ON, Area.STAFF, _("Approval limits apply again: two people can approve"))
    describe("factor.add", Area.SIGN_IN, _("Added a second factor"))
    describe("factor.remove", Area.SIGN_IN, _("Removed a second factor"))
    describe("factor.renew", Area.SIGN_IN, _("Created new recovery codes"))
    describe("sessions.end", Area.SIGN_IN, _("Ended sessions of their own"))
    describe("staff.factors_reset", Area.STAFF, _("Removed the second factors of %(subject)s"))
    describe("staff.sessions_ended", Area.STAFF, _("Ended all sessions of %(subject)s"))
    describe(
        "sign_in.emergency", Area.SIGN_IN, _("Signed in with the emergency account: %(subject)s")
    )
    describe("sign_in.connect", Area.SIGN_IN, _("Connected the account with the identity provider"))
    describe(
        "sign_in.disconnect",
        Area.SIGN_IN,
        _("Disconnected the account from the identity provider"),
    )
    describe(
        "sign_in.provider_refused",
        Area.SIGN_IN,
        _("Refused a person whom the identity provider knows: %(why)s %(subject)s"),
        _("Refused a person whom the identity provider knows: %(why)s"),
        _("Refused a person whom the identity provider knows"),
        shown={"why": _refusal},
    )
    describe(
        "staff.from_provider",
        Area.STAFF,
        _("Added %(subject)s at the first sign-in over the identity provider"),
    )
    describe(
        "staff.connected_by_email",
        Area.STAFF,
        _(
            "Connected %(subject)s with the identity provider by the e-mail address, and removed"
            " the password and second factors"
        ),
    )
    describe(
        "staff.roles_by_groups",
        Area.STAFF,
        _("Changed the roles of %(subject)s by the groups at the identity provider: %(roles)s"),
        _("Took all roles of %(subject)s by the groups at the identity provider"),
        shown=staff,
    )
    describe("role.require_factor", Area.STAFF, _("Required a second factor of %(subject)s"))
    describe("role.drop_factor", Area.STAFF, _("No longer required a second factor of %(subject)s"))
    describe("staff.first_admin", Area.STAFF, _("Created %(subject)s as the first administrator"))
    describe("keys.accept", Area.OTHER, _("Made the keys of a host those of the database"))
    describe(
        "backup.restore", Area.OTHER, _("Restored the backup %(backup)s"), _("Restored a backup")
    )
    describe("database.move", Area.OTHER, _("Moved the database to PostgreSQL"))
