from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = pgettext_lazy("section", "Privacy")

    def ready(self) -> None:
        from .registration import register_app

        register_app()
