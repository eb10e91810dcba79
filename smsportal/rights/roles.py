"""The default roles.

Roles are groups, so an installation can change them and add its own. After every migration, each
role gets the permissions that it lacks. Permissions are never removed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from django.apps.registry import Apps
from django.apps.registry import apps as installed
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from alerts.permissions import ALERTS, VIEW_ALERTS
from alerts.permissions import LABELS as ALERT_LABELS
from core.punctuation import listed
from privacy.permissions import PRIVACY

VIEW_AUDIT_LOG: Final = "audit.view_entry"
VIEW_ROW_CHANGES: Final = "auditlog.view_logentry"
"""Not among a manager's permissions, since the log also shows what managers change."""
REQUIRE_FACTOR: Final = "smsportal.require_factor"
_VIEWER: Final = (
    "otp.view_session",
    "messaging.view_message",
    "messaging.view_batch",
    "messaging.view_template",
    "messaging.view_donotsend",
    "providers.view_account",
    "providers.view_balancereading",
    "rentals.view_order",
    "rentals.view_transaction",
    "rentals.view_finding",
)
_OPERATOR: Final = (
    *_VIEWER,
    "lookup.note_number",
    "messaging.send_message",
    "messaging.cancel_message",
    "otp.send_code",
    "otp.check_code",
    "otp.cancel_code",
    "providers.check_account",
    "rentals.rent_order",
    "rentals.cancel_order",
    "rentals.read_transaction",
)
_MANAGER: Final = (
    *_OPERATOR,
    "messaging.reveal_message",
    "messaging.resolve_message",
    "rentals.reveal_order",
    "rentals.resolve_order",
    "rentals.import_order",
    "rentals.export_order",
    "rentals.export_transaction",
    "rentals.check_finding",
    "rentals.explain_finding",
    "rentals.view_project",
    "rentals.add_project",
    "rentals.change_project",
    "rentals.view_region",
    "rentals.add_region",
    "rentals.change_region",
    "otp.export_session",
    "messaging.bulk_message",
    "messaging.export_message",
    "messaging.add_template",
    "messaging.change_template",
    "messaging.add_donotsend",
    "messaging.change_donotsend",
    "providers.view_dailylimit",
    "providers.add_dailylimit",
    "providers.change_dailylimit",
    "providers.approve",
    "providers.view_approval",
    "providers.view_approvallimit",
    "providers.change_approvallimit",
    "providers.view_capexemption",
    "providers.add_capexemption",
    "providers.change_capexemption",
    "providers.add_account",
    "providers.change_account",
    "providers.resume_account",
    "providers.release_hold",
    "providers.view_callback_address",
    "providers.view_apicall",
    "providers.view_callback",
    "providers.process_callback",
    "providers.reveal_callback",
    "providers.rotate_callback_address",
    "providers.view_host",
    "figures.view_figures",
    "figures.export_figures",
    "core.export_list",
    "audit.view_managed",
    "audit.accept_break",
    *ALERTS,
    *PRIVACY,
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    REQUIRE_FACTOR,
)
_AUDITOR: Final = (
    *_VIEWER,
    "providers.view_apicall",
    "providers.view_approval",
    "providers.view_approvallimit",
    "providers.view_callback",
    "providers.view_host",
    "figures.view_figures",
    "figures.export_figures",
    "core.export_list",
    "rentals.export_order",
    "rentals.export_transaction",
    "otp.export_session",
    "messaging.export_message",
    VIEW_AUDIT_LOG,
    VIEW_ROW_CHANGES,
    VIEW_ALERTS,
)

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "viewer": _VIEWER,
    "operator": _OPERATOR,
    "manager": _MANAGER,
    "auditor": _AUDITOR,
}
_ROLE_LABELS: Final[dict[str, Promise]] = {
    "viewer": pgettext_lazy("role", "Viewer"),
    "operator": pgettext_lazy("role", "Operator"),
    "manager": pgettext_lazy("role", "Manager"),
    "auditor": pgettext_lazy("role", "Auditor"),
}
_ROLE_SENTENCES: Final[dict[str, Promise]] = {
    "viewer": _("Opens lists and pages. Numbers, texts and codes stay masked. Changes nothing."),
    "operator": _(
        "Sends single SMS and codes, rents numbers, and sees own rows in full for 12 hours."
    ),
    "manager": _(
        "Does everything except reading the whole audit log: batches, accounts, reveals, exports,"
        " staff."
    ),
    "auditor": _(
        "Reads everything masked, API calls and the audit log, and exports them. Changes nothing."
    ),
}
_PERMISSION_LABELS: Final[dict[str, Promise]] = {
    "send_message": _("Send SMS"),
    "cancel_message": _("Cancel messages"),
    "reveal_message": _("Reveal numbers and texts"),
    "resolve_message": _("Set unknown outcomes"),
    "rent_order": _("Rent numbers"),
    "cancel_order": _("Cancel orders"),
    "reveal_order": _("Reveal numbers, codes and texts of orders"),
    "resolve_order": _("Set the outcome of orders with unknown outcome"),
    "import_order": _("Adopt orders placed outside the portal"),
    "export_order": _("Export orders"),
    "export_transaction": _("Export transactions"),
    "read_transaction": _("Read transactions from the provider"),
    "check_finding": _("Run the ledger check"),
    "explain_finding": _("Explain findings of the ledger check"),
    "send_code": _("Send codes"),
    "check_code": _("Check codes"),
    "cancel_code": _("Cancel code sessions"),
    "export_session": _("Export code sessions"),
    "bulk_message": _("Send batches"),
    "export_message": _("Export messages"),
    "add_donotsend": _("Add numbers to the do-not-send list"),
    "change_donotsend": _("Remove numbers from the do-not-send list"),
    "check_account": _("Check connections and read balances"),
    "resume_account": _("Pause and resume accounts"),
    "release_hold": _("Release what is on hold"),
    "approve": _("Approve batches and orders of others"),
    "view_callback_address": _("View callback addresses"),
    "rotate_callback_address": _("Create and revoke callback addresses"),
    "process_callback": _("Process callbacks again"),
    "reveal_callback": _("Reveal full callbacks"),
    "view_host": _("See the hosts"),
    "view_figures": _("See figures of all staff"),
    "export_figures": _("Export figures"),
    "export_list": _("Export other lists"),
    "note_number": _("Name numbers and write notes"),
    "view_entry": _("View the audit log"),
    "view_managed": _("View what others did with what one manages"),
    "accept_break": _("Accept breaks of the audit log"),
    "view_logentry": _("View changes of rows, field by field"),
    "erase_number": _("Erase a number"),
    "hand_out_number": _("Hand out a number's data"),
    "set_legal_hold": _("Set and lift legal holds"),
    "set_retention": _("Set how long data is kept"),
    "require_factor": _("Set which roles require a second factor"),
    **ALERT_LABELS,
}
_ACTION_LABELS: Final[dict[str, Promise]] = {
    "view": _("View: %(things)s"),
    "add": _("Add: %(things)s"),
    "change": _("Change: %(things)s"),
    "delete": _("Delete: %(things)s"),
}
_GRANTABLE_APPS: Final = (
    *("core", "messaging", "providers", "otp", "rentals"),
    *("figures", "lookup", "alerts", "audit", "privacy", "smsportal"),
)
_AUDIT_APP, _AUDIT_CODENAME = VIEW_ROW_CHANGES.split(".")
_MENU_WORDS: Final = {User: pgettext_lazy("title", "Staff"), Group: pgettext_lazy("title", "Roles")}
GRANTABLE: Final = Q(content_type__app_label__in=_GRANTABLE_APPS) | Q(
    content_type__app_label=_AUDIT_APP, codename=_AUDIT_CODENAME
)
"""Permissions that can be granted alone: those of the portal's own apps, and changes of rows."""


def role_label(name: str) -> str:
    """The translated name of a default role. Other groups keep their own name."""
    return str(_ROLE_LABELS.get(name, name))


def role_sentence(role: Group) -> str:
    """What the holders of a role do, in the active language."""
    known = _ROLE_SENTENCES.get(role.name)
    if known:
        return str(known)
    count = len(role.permissions.all())
    text = ngettext(
        "A role of this portal's own, with %(n)s permission.",
        "A role of this portal's own, with %(n)s permissions.",
        count,
    )
    return text % {"n": count}


def role_names(user: object) -> str:
    """The roles of a person in the active language. Visitors have none."""
    if not isinstance(user, User):
        return ""
    return roles_text([group.name for group in user.groups.all()], user)


def roles_text(names: Iterable[str], user: User) -> str:
    words = [role_label(name) for name in names]
    return listed([pgettext("role", "Superuser"), *words] if user.is_superuser else words)


def permission_label(permission: Permission) -> str:
    """What a permission allows, in the active language."""
    known = _PERMISSION_LABELS.get(permission.codename)
    if known:
        return str(known)
    action = _ACTION_LABELS.get(permission.codename.split("_")[0])
    model = permission.content_type.model_class()
    if not action or not model:
        return gettext(permission.name)
    things = _MENU_WORDS.get(model, model._meta.verbose_name_plural)
    return str(action) % {"things": capfirst(str(things))}


def fill_roles(sender: Any, using: str, apps: Apps = installed, **_: Any) -> None:
    """Receiver of `post_migrate` that grants each role the permissions that it lacks.

    It runs after the migrations of each app, in any order. It also runs after a flush, which
    passes no `apps`.
    """
    labels = {name.split(".")[0] for names in ROLES.values() for name in names}
    if sender.label not in labels or not _has_model(apps, "auth", "Group"):
        return
    known = _known_permissions(using)
    for role, names in ROLES.items():
        group = Group.objects.using(using).get_or_create(name=role)[0]
        held = set(group.permissions.values_list("pk", flat=True))
        missing = [known[name] for name in names if name in known and known[name].pk not in held]
        if missing:
            group.permissions.add(*missing)


def _has_model(apps: Apps, label: str, model: str) -> bool:
    return model.lower() in apps.all_models[label]


def _known_permissions(using: str) -> dict[str, Permission]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for names in ROLES.values():
        for name in names:
            label, codename = name.split(".")
            wanted[label].add(codename)
    chosen = Q(pk__in=[])
    for label, codenames in wanted.items():
        chosen |= Q(content_type__app_label=label, codename__in=codenames)
    found = Permission.objects.using(using).filter(chosen).select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}": each for each in found}
