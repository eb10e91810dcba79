"""The entries of the sidebar, grouped by task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alerts.permissions import ALERTS
from audit.models import VIEW_MANAGED
from messaging.presentation.dashboard import badge as messages_badge
from privacy.permissions import PRIVACY
from providers.presentation import approval_inbox
from providers.presentation.dashboard import callback_badge as callbacks_badge
from rentals.presentation import dashboard as rentals_dashboard

from ..own_pages.my_exports import EXPORT_PERMISSIONS, new_files
from ..rights.roles import VIEW_AUDIT_LOG

SUPERUSER: Final = "superuser"
WORK: Final = ("messaging.view_message", "otp.view_session", "rentals.view_order")
_HAND_OVER: Final = pgettext_lazy("menu", "Hand-over")


@dataclass(frozen=True)
class Item:
    """One entry of the sidebar.

    `permissions`: any one of them is enough. Without any, every signed-in user sees the item.
    `owns`: URL names, or prefixes of them that end in "_", of the item's pages. The item with the
    longest match is active, so "Send SMS" does not also highlight "Messages".
    `badge`: counts what needs attention. Every page calls it, so it may make one cheap query.
    `is_available`: whether this installation has the page.
    """

    title: Promise
    icon: str
    url_name: str
    permissions: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    badge: Callable[[HttpRequest], int] | None = None
    is_available: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Group:
    items: tuple[Item, ...]
    title: Promise | None = None


GROUPS: Final = (
    Group(
        (
            Item(
                pgettext_lazy("menu", "Dashboard"), "space_dashboard", "admin:index", (), ("index",)
            ),
            Item(_HAND_OVER, "assignment", "admin:hand_over", WORK, ("hand_over",)),
            Item(
                pgettext_lazy("menu", "Figures"),
                "monitoring",
                "admin:figures",
                ("figures.view_figures",),
                ("figures",),
            ),
            Item(
                pgettext_lazy("menu", "My exports"),
                "download",
                "admin:my_exports",
                EXPORT_PERMISSIONS,
                ("my_exports",),
                badge=new_files,
            ),
        )
    ),
    Group(
        (
            Item(
                _("Send SMS"),
                "send",
                "admin:messaging_message_send",
                ("messaging.send_message",),
                ("messaging_message_send",),
            ),
            Item(
                pgettext_lazy("menu", "Batches"),
                "stacks",
                "admin:messaging_batch_changelist",
                ("messaging.view_batch", "messaging.bulk_message"),
                ("messaging_batch_", "messaging_template_", "messaging_donotsend_"),
            ),
            Item(
                pgettext_lazy("menu", "Approvals"),
                "approval",
                "admin:approvals",
                approval_inbox.MAY_OPEN,
                ("approval_", "approval", "approvals", "providers_approval_"),
                badge=approval_inbox.badge,
            ),
            Item(
                pgettext_lazy("menu", "Messages"),
                "sms",
                "admin:messaging_message_changelist",
                ("messaging.view_message",),
                ("messaging_message_",),
                badge=messages_badge,
            ),
        ),
        pgettext_lazy("section", "Messages"),
    ),
    Group(
        (
            Item(
                _("Send code"),
                "password",
                "admin:otp_session_send",
                ("otp.send_code",),
                ("otp_session_send",),
            ),
            Item(
                pgettext_lazy("menu", "Codes"),
                "pin",
                "admin:otp_session_changelist",
                ("otp.view_session",),
                ("otp_session_",),
            ),
        ),
        pgettext_lazy("section", "Codes"),
    ),
    Group(
        (
            Item(
                _("Rent a number"),
                "add_call",
                "admin:rentals_order_rent",
                ("rentals.rent_order",),
                ("rentals_order_rent",),
            ),
            Item(
                _("Open orders"),
                "hourglass_top",
                "admin:rentals_order_board",
                ("rentals.view_order",),
                ("rentals_order_board",),
                badge=rentals_dashboard.open_badge,
            ),
            Item(
                pgettext_lazy("menu", "Orders"),
                "list_alt",
                "admin:rentals_order_changelist",
                ("rentals.view_order",),
                ("rentals_order_",),
                badge=rentals_dashboard.orders_badge,
            ),
            Item(
                pgettext_lazy("menu", "Transactions"),
                "receipt_long",
                "admin:rentals_transaction_changelist",
                ("rentals.view_transaction",),
                ("rentals_transaction_", "rentals_finding_"),
                badge=rentals_dashboard.ledger_badge,
            ),
            Item(
                _("Apps and countries"),
                "apps",
                "admin:rentals_project_changelist",
                ("rentals.view_project",),
                ("rentals_project_", "rentals_region_"),
            ),
        ),
        pgettext_lazy("section", "Rented numbers"),
    ),
    Group(
        (
            Item(
                pgettext_lazy("menu", "Accounts"),
                "account_balance_wallet",
                "admin:providers_account_changelist",
                ("providers.view_account",),
                ("providers_account_",),
            ),
            Item(
                pgettext_lazy("menu", "Scoreboard"),
                "leaderboard",
                "admin:scoreboard",
                ("figures.view_figures",),
                ("scoreboard",),
            ),
            Item(
                _("API calls"),
                "swap_horiz",
                "admin:providers_apicall_changelist",
                ("providers.view_apicall",),
                ("providers_apicall_",),
            ),
            Item(
                pgettext_lazy("menu", "Callbacks"),
                "webhook",
                "admin:providers_callback_changelist",
                ("providers.view_callback",),
                ("providers_callback_",),
                badge=callbacks_badge,
            ),
        ),
        pgettext_lazy("menu", "Providers"),
    ),
    Group(
        (
            Item(
                pgettext_lazy("menu", "Staff"),
                "manage_accounts",
                "admin:auth_user_changelist",
                ("auth.view_user",),
                (
                    *("auth_", "axes_", "factor_rules"),
                    *("providers_dailylimit_", "providers_capexemption_"),
                ),
            ),
            Item(
                _("Audit log"),
                "policy",
                "admin:audit_entry_changelist",
                (VIEW_AUDIT_LOG, VIEW_MANAGED),
                ("audit_entry_", "auditlog_"),
            ),
            Item(
                _("What waits"),
                "front_hand",
                "admin:hold",
                ("providers.release_hold",),
                ("hold", "hold_"),
            ),
            Item(
                pgettext_lazy("menu", "Privacy"),
                "shield_person",
                "admin:privacy",
                PRIVACY,
                ("privacy", "privacy_"),
            ),
            Item(
                pgettext_lazy("menu", "Alerts"),
                "notifications",
                "admin:alerts",
                ALERTS,
                ("alerts", "alerts_"),
            ),
            Item(
                pgettext_lazy("menu", "Hosts"),
                "dns",
                "admin:hosts",
                ("providers.view_host",),
                ("hosts",),
            ),
            Item(
                pgettext_lazy("menu", "Queue"),
                "pending_actions",
                "admin:django_q_ormq_changelist",
                (SUPERUSER,),
                ("django_q_",),
            ),
            Item(
                pgettext_lazy("menu", "Sandbox"),
                "science",
                "admin:practice",
                ("providers.view_account",),
                ("practice",),
                is_available=lambda: bool(settings.SANDBOX_URL),
            ),
        ),
        pgettext_lazy("menu", "Administration"),
    ),
)
