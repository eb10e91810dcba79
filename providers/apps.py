from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ProvidersConfig(AppConfig):
    name = "providers"
    verbose_name = pgettext_lazy("section", "Providers")

    def ready(self) -> None:
        from . import registration

        registration.register_app()
