from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "smsportal"
    verbose_name = _("SMS portal")
    default = True

    def ready(self) -> None:
        from auditlog.registry import auditlog
        from django.contrib.auth.models import Group, User

        from providers import labels
        from providers.models import DailyLimit

        from . import banner_zone, checks  # noqa: F401
        from .roles import fill_roles
        from .schedules import ensure_schedules

        labels.register()
        banner_zone.register()
        post_migrate.connect(fill_roles, dispatch_uid="smsportal.fill_roles")
        # Of this app, which has no models, the signal would never come.
        post_migrate.connect(
            ensure_schedules,
            sender=apps.get_app_config("django_q"),
            dispatch_uid="smsportal.ensure_schedules",
        )
        auditlog.register(
            User,
            exclude_fields=["password", "last_login"],
            m2m_fields={"groups", "user_permissions"},
        )
        auditlog.register(Group, m2m_fields={"permissions"})
        auditlog.register(DailyLimit)


class PortalAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "smsportal.site.PortalSite"
