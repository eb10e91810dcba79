from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import pgettext_lazy


class FiguresConfig(AppConfig):
    name = "figures"
    verbose_name = pgettext_lazy("section", "Figures")

    def ready(self) -> None:
        from .registration import register_app
        from .triggers import install, remove_before

        register_app()
        pre_migrate.connect(remove_before, sender=self, dispatch_uid="figures.remove_triggers")
        post_migrate.connect(install, sender=self, dispatch_uid="figures.install_triggers")
