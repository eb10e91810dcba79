from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from core import attention
        from providers.engine.sources import register
        from providers.journal import resolve_subjects_of

        from . import explaining, labels, needs
        from .dispatch import MessageSource
        from .subjects import message_link

        register(MessageSource())
        labels.register()
        attention.register(needs.matters)
        explaining.register()
        resolve_subjects_of("message", message_link)
