from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

from .database_sessions import connect_receivers


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = pgettext_lazy("section", "Portal")

    def ready(self) -> None:
        from .personal_places import register_places

        connect_receivers()
        register_places()
