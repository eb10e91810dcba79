from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = pgettext_lazy("section", "Messages")

    def ready(self) -> None:
        from . import registration

        registration.register_app()
