from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from .database_sessions import connect_receivers


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Portal")

    def ready(self) -> None:
        connect_receivers()
