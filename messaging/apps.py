from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from core.admin import attention
        from providers.engine.sources import register
        from providers.gateway.events import (
            DeliveryReported,
            Unrecognised,
            VerificationReported,
        )
        from providers.inbox.health import register_silence
        from providers.journal import find_subjects_by, resolve_subjects_of
        from providers.subscriptions import subscribe

        from . import explaining, labels, needs, reports
        from .batches import registration
        from .dispatch import MessageSource
        from .silence import silence_of
        from .subjects import message_link, messages_named

        register(MessageSource())
        registration.register()
        labels.register()
        attention.register(needs.attention_items)
        explaining.register()
        resolve_subjects_of("message", message_link)
        find_subjects_by(messages_named)
        register_silence(silence_of)
        subscribe(DeliveryReported, reports.hear_delivery)
        subscribe(VerificationReported, reports.hear_verification)
        subscribe(Unrecognised, reports.hear_unrecognised)
