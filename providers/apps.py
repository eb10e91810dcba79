from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProvidersConfig(AppConfig):
    name = "providers"
    verbose_name = _("Providers")

    def ready(self) -> None:
        from core import attention

        from . import needs
        from .engine.sources import register
        from .enquiries import EnquirySource

        register(EnquirySource())
        attention.register(needs.matters)
