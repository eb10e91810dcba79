from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OtpConfig(AppConfig):
    name = "otp"
    verbose_name = _("Codes")

    def ready(self) -> None:
        from core.admin import attention
        from messaging import owners
        from providers.engine.sources import register
        from providers.gateway.events import VerificationReported
        from providers.journal import resolve_subjects_of
        from providers.subscriptions import subscribe

        from . import evidence, following, labels, needs
        from .provider_checks import CheckSource
        from .subjects import session_link

        register(CheckSource())
        labels.register()
        attention.register(needs.attention_items)
        owners.register("session", following.follow)
        resolve_subjects_of("session", session_link)
        subscribe(VerificationReported, evidence.hear_verification)
