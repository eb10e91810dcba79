"""Where the logs of Django and of the audit may hold a phone number, and which tables do not."""

from __future__ import annotations

from auditlog.models import LogEntry as Change
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext_lazy as _

from core.personal_data import Place, excuse, register


def register_places() -> None:
    register(
        Place(
            LogEntry,
            _("Log of pages"),
            searched=("change_message", "object_repr"),
            excused={"object_id": "an id"},
        )
    )
    register(
        Place(
            Change,
            _("Audit log"),
            searched=(
                "object_repr",
                "changes_text",
                "changes",
                "serialized_data",
                "additional_data",
            ),
            excused={
                "object_pk": "an id",
                "cid": "an id",
                "remote_addr": "an address of staff",
                "actor_email": "an address of staff",
            },
        )
    )
    excuse("Staff and what they may do.", "auth.user", "auth.group", "auth.permission")
    excuse("Preferences of staff.", "smsportal.preferences")
    excuse("Names of tables.", "contenttypes.contenttype")
    excuse("A signed session: who is signed in.", "sessions.session")
    excuse(
        "Who signed in from where. Passwords are hidden, and names are those of staff.",
        "axes.accessattempt",
        "axes.accessfailurelog",
        "axes.accesslog",
    )
    excuse(
        "Names of tasks and ids of rows.",
        "django_q.task",
        "django_q.schedule",
        "django_q.ormq",
    )
    excuse(
        "Counts by words of the portal.",
        "figures.figure",
        "figures.mark",
        "figures.rollup",
    )
