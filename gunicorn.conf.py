"""Configuration of gunicorn, from the portal's settings."""

import os
import re
import sys
from pathlib import Path

from gunicorn.glogging import Logger

# `python -m` looks for modules in the current folder first, where another version may be.
sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsportal.settings")

from django.conf import settings

from core.client_address import address_in
from smsportal.log.setup import configure_web_server


class PortalLogger(Logger):
    """Omits query strings, secret parts of paths, static files, and probes that found no fault."""

    PROBES = ("/livez", "/readyz", "/metrics")
    UNGUESSABLE = re.compile(r"[\w-]{20,}")

    def atoms(self, resp, req, environ, request_time):  # type: ignore[no-untyped-def]
        atoms = super().atoms(resp, req, environ, request_time)
        client = str(address_in(environ) or "-")
        # A request that could not be understood has none.
        path = self.UNGUESSABLE.sub("…", atoms["U"] or "-")
        return {**atoms, "h": client, "U": path}

    def access(self, resp, req, environ, request_time):  # type: ignore[no-untyped-def]
        if not self.cfg.accesslog:
            # With a configuration for JSON, the library would write it all the same.
            return
        path = environ.get("PATH_INFO", "")
        is_probe = path in self.PROBES and resp.status_code == 200
        if not is_probe and not path.startswith(settings.STATIC_URL):
            super().access(resp, req, environ, request_time)


def pre_fork(server, worker):  # type: ignore[no-untyped-def]
    """No worker may share a connection with another."""
    from django.db import connections

    connections.close_all()


def post_worker_init(worker):  # type: ignore[no-untyped-def]
    """Stop the web server if its keys are not those of the database. Otherwise this host takes part
    in the fence, even if it only serves pages."""
    from gunicorn.arbiter import Arbiter

    from providers.hold import fence_watch
    from smsportal.startup.key_comparison import misfits_unless_away

    if misfits := misfits_unless_away():
        worker.log.error("\n".join(misfits))
        sys.exit(Arbiter.APP_LOAD_ERROR)
    fence_watch.start()


# Loaded once, so that the workers share what `smsportal.wsgi` freezes.
preload_app = True
wsgi_app = "smsportal.wsgi:application"
bind = settings.BIND
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
worker_class = "smsportal.web_server.worker.PortalWorker"
umask = 0o077
# Below the usual limit of open files, with room for the requests that are kept in files.
worker_connections = 450
# The answer must pass through the worker's own socket.
sendfile = False
timeout = 60
graceful_timeout = 25
control_socket_disable = True
logger_class = PortalLogger
# The demo ends its start with the address and the passwords.
accesslog = None if settings.DEMO else "-"
loglevel = "warning" if settings.DEMO else "info"
if settings.LOG_FORMAT == "json":
    logconfig_dict = configure_web_server(loglevel.upper())
access_log_format = '%(t)s %(h)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'
