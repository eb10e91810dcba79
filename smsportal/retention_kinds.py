"""How long sign-ins, files of exports and the addresses of staff are kept."""

from __future__ import annotations

from auditlog.models import LogEntry
from axes.models import AccessLog
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from audit import addresses
from core.admin.export_jobs.limits import KEPT_FOR, State
from core.models import ExportJob
from core.retention import Kind, register
from providers.retention_kinds import journal_days


def _sign_ins() -> QuerySet[AccessLog]:
    rows: QuerySet[AccessLog] = AccessLog.objects.all()
    return rows


def _addresses() -> QuerySet[LogEntry]:
    rows: QuerySet[LogEntry] = LogEntry.objects.exclude(remote_addr=None)
    return rows


def _exports() -> QuerySet[ExportJob]:
    return ExportJob.objects.filter(state=State.READY)


def _days_of_exports() -> int | None:
    return KEPT_FOR.days


def register_kinds() -> None:
    register(
        Kind(
            "exports",
            _("Files of exports"),
            _("Who exported which list, and when, stays in the audit log."),
            _exports,
            "finished_at",
            _days_of_exports,
            most=KEPT_FOR.days,
        )
    )
    register(
        Kind(
            "sign_ins",
            _("Sign-ins and failed sign-ins"),
            _("Nothing stays. Sessions are deleted when they end."),
            _sign_ins,
            "attempt_time",
            journal_days,
        )
    )
    register(
        Kind(
            addresses.RETENTION,
            _("Network addresses in the audit log"),
            _("Who changed what, and when, stays."),
            _addresses,
            "timestamp",
            proposed=400,
            cleared={"remote_addr": None},
            also=(addresses.retention_part(),),
        )
    )
