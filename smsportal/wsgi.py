import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsportal.settings")

application = get_wsgi_application()

# Load all pages now, so that the first request does not wait for them.
import_module("smsportal.urls")
