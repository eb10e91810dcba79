from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RentalsConfig(AppConfig):
    name = "rentals"
    verbose_name = _("Rented numbers")

    def ready(self) -> None:
        from core.admin import attention
        from providers.engine.sources import register
        from providers.journal import resolve_subjects_of

        from . import explaining, labels, needs
        from .cancelling import CancellingSource
        from .catalogue import fill
        from .looking import ContentSource
        from .placing import PlacingSource
        from .polling import PollingSource
        from .reading import ReadingSource
        from .subjects import order_link

        for source in (PlacingSource, CancellingSource, PollingSource, ContentSource):
            register(source())
        register(ReadingSource())
        labels.register()
        explaining.register()
        attention.register(needs.attention_items)
        resolve_subjects_of("order", order_link)
        post_migrate.connect(fill, sender=self, dispatch_uid="rentals.fill_catalogue")
