from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class AlertsConfig(AppConfig):
    name = "alerts"
    verbose_name = pgettext_lazy("section", "Alerts")

    def ready(self) -> None:
        from .registration import register_app

        register_app()
