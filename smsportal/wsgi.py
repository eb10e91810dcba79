import gc
import os
from importlib import import_module
from typing import Final

from django.core.wsgi import get_wsgi_application

YOUNG_OBJECTS: Final = 10_000
"""A list makes thousands of objects and drops them all, which needs no collection."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsportal.settings")

application = get_wsgi_application()

# Load all pages now, so that the first request does not wait for them.
import_module("smsportal.urls")
# What is loaded stays. To look through it again and again takes a tenth of the time of a page.
gc.collect()
gc.freeze()
gc.set_threshold(YOUNG_OBJECTS, 20, 20)
