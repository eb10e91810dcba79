from collections.abc import Sequence
from importlib import import_module

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "smsportal"
    verbose_name = _("SMS portal")
    default = True

    def ready(self) -> None:
        from auditlog.registry import auditlog
        from django.contrib.auth.models import Group, User
        from django_q.signals import post_execute

        from core.admin import attention, object_panels, search
        from core.encrypted_columns import foreign_tokens
        from providers.models import DailyLimit
        from providers.presentation import labels

        from . import act_texts, checks, export_labels, sign_in_acts  # noqa: F401
        from .backup import checks as backup_checks  # noqa: F401
        from .caps import cap_acts
        from .frame import banners
        from .frame.search_hits import find_hits
        from .log import fault_reports
        from .log.setup import log_what_python_prints
        from .own_pages import notice_choices
        from .personal_places import register_places
        from .processes import vitals
        from .retention_kinds import register_kinds
        from .rights import managed_people
        from .rights.roles import fill_roles
        from .rights.withheld import panel_for
        from .sign_in import checks as sign_in_checks  # noqa: F401
        from .sign_in import events as sign_in_events
        from .sign_in.emergency_gaps import emergency_gaps
        from .sign_in.factor_secrets import FACTOR_SECRETS
        from .sign_in.second_manager import lone_manager
        from .startup.connection_pooler import watch_connections
        from .task_queue import plain_pickles
        from .task_queue import references as queued_references
        from .task_queue.schedules import ensure_schedules

        log_what_python_prints(settings.LOG_FORMAT)
        fault_reports.connect()
        plain_pickles.install()
        register_places()
        register_kinds()
        watch_connections()
        queued_references.connect()
        sign_in_events.connect()
        attention.register(lone_manager)
        attention.register(emergency_gaps)
        foreign_tokens.append(FACTOR_SECRETS)
        labels.register()
        export_labels.register()
        notice_choices.register()
        search.register(find_hits)
        object_panels.register(panel_for)
        banners.register()
        act_texts.register()
        cap_acts.register()
        managed_people.register()
        sign_in_acts.register()
        post_migrate.connect(fill_roles, dispatch_uid="smsportal.fill_roles")
        # By whichever migration creates the queue's tables.
        post_migrate.connect(
            ensure_schedules,
            sender=apps.get_app_config("django_q"),
            dispatch_uid="smsportal.ensure_schedules",
        )
        post_execute.connect(vitals.MonitorBeat(), weak=False, dispatch_uid="smsportal.vitals")
        auditlog.register(
            User,
            exclude_fields=["password", "last_login"],
            m2m_fields={"groups", "user_permissions"},
        )
        auditlog.register(Group, m2m_fields={"permissions"})
        auditlog.register(DailyLimit)


class PortalAdminConfig(SimpleAdminConfig):
    """Loads the admin pages with the URLs only.

    The queue's processes show no pages, and loading them takes a quarter of a process's start-up.
    """

    default = False
    default_site = "smsportal.site.PortalSite"

    def ready(self) -> None:
        # Instead of Django's own check, because the pages must be loaded to be checked.
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[checks.CheckMessage]:
    """Load the admin pages, then run Django's check of them."""
    import_module(settings.ROOT_URLCONF)
    found: list[checks.CheckMessage] = check_admin_app(app_configs, **kwargs)
    return found
