from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

from .database_sessions import connect_receivers


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = pgettext_lazy("section", "Portal")

    def ready(self) -> None:
        connect_receivers()
