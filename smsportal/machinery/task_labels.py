"""What each task of the queue does, in words."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.masking import data

TASK_LABELS: Final[dict[str, Promise]] = {
    "alerts.tasks.deliver": _("Send alerts"),
    "alerts.tasks.ping": _("Send the ping of the alerts"),
    "alerts.tasks.prune": _("Delete old alerts"),
    "alerts.tasks.watch": _("Check the alert rules"),
    "audit.tasks.check": _("Check the chain of the audit log"),
    "audit.tasks.seal": _("Seal the audit log"),
    "core.tasks.continue_exports": _("Continue exports that were interrupted"),
    "core.tasks.write_exports": _("Write exports"),
    "figures.tasks.bring_up_to_date": _("Bring the figures up to date"),
    "messaging.batches.tasks.cancel_rest": _("Cancel the rest of a batch"),
    "messaging.batches.tasks.lay_out": _("Create the messages of a batch"),
    "messaging.batches.tasks.prune": _("Delete old recipients' files"),
    "messaging.batches.tasks.read": _("Read a recipients' file"),
    "messaging.batches.tasks.tend": _("Continue batches that were interrupted"),
    "otp.tasks.expire": _("Expire code sessions"),
    "otp.tasks.prune": _("Delete old data of codes"),
    "privacy.tasks.erase": _("Erase a number"),
    "privacy.tasks.forget": _("Clear what is too old"),
    "privacy.tasks.search_restored": _("Search a restored backup for erased numbers"),
    "privacy.tasks.go_on": _("Continue erasures that were interrupted"),
    "providers.engine.task.run": _("Run the engine"),
    "providers.tasks.beat": _("Give a sign of life"),
    "providers.tasks.digest_callbacks": _("Process callbacks"),
    "providers.tasks.end_decided_hold": _("End a hold that is decided"),
    "providers.tasks.keep_engine_running": _("Keep the engine running"),
    "providers.tasks.prune": _("Delete old API calls and callbacks"),
    "providers.tasks.read_balances": _("Read balances"),
    "providers.tasks.test_callback_address": _("Test a callback address"),
    "rentals.tasks.check_ledgers": _("Run the ledger check"),
    "rentals.tasks.prune": _("Delete old data of rented numbers"),
    "rentals.tasks.read_lists": _("Read new transactions and orders"),
    "rentals.tasks.read_lists_whole": _("Read all transactions and orders"),
    "smsportal.backup.tasks.start_when_due": _("Start a backup if one is due"),
    "smsportal.tasks.prune": _("Delete old sessions and sign-ins"),
}


def task_label(func: object) -> str | SafeString:
    """The label of a task. A function that is none of the portal's is shown by its name."""
    known = TASK_LABELS.get(str(func))
    return str(known) if known else data(str(func or "?")[:256])
