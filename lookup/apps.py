from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class LookupConfig(AppConfig):
    name = "lookup"
    verbose_name = pgettext_lazy("section", "Search")

    def ready(self) -> None:
        from .registration import register_app

        register_app()
