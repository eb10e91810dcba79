from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit log")

    def ready(self) -> None:
        from .registration import register_app
        from .triggers import install, remove_before

        register_app()
        pre_migrate.connect(remove_before, sender=self, dispatch_uid="audit.remove_triggers")
        post_migrate.connect(install, sender=self, dispatch_uid="audit.install_triggers")
