import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsportal.settings")

application = get_wsgi_application()

# With all pages, for which the first to come would wait.
import_module("smsportal.urls")
