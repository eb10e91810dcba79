from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class ProvidersConfig(AppConfig):
    name = "providers"
    verbose_name = _("Providers")

    def ready(self) -> None:
        from auditlog.registry import auditlog

        from core.admin import attention

        from . import needs
        from .accounts import callback_tokens_changed
        from .engine.sources import register
        from .enquiries import EnquirySource
        from .inbox.tokens import known_tokens
        from .models import Account

        register(EnquirySource())
        attention.register(needs.attention_items)
        attention.register(needs.callback_items)
        callback_tokens_changed.connect(known_tokens.forget)
        post_save.connect(known_tokens.forget, sender=Account)
        # Secrets and callback tokens stand in tables of their own, which no log looks at.
        auditlog.register(Account, exclude_fields=["public_id"])
