from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class RentalsConfig(AppConfig):
    name = "rentals"
    verbose_name = pgettext_lazy("section", "Rented numbers")

    def ready(self) -> None:
        from . import registration

        registration.register_app(self)
