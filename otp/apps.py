from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class OtpConfig(AppConfig):
    name = "otp"
    verbose_name = pgettext_lazy("section", "Codes")

    def ready(self) -> None:
        from . import registration

        registration.register_app()
