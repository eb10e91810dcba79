"""Settings for tests: temporary keys, a temporary data folder, no `.env`.

Unless TEST_DATABASE_URL names another database, the tests use SQLite in a file. It cannot be in
memory, because live servers, clusters and threads share it. All values are in the environment, so
that a process started by a test finds the same database and keys.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "TEST_DATA_DIR" not in os.environ:
    _owner = os.getpid()
    os.environ["TEST_DATA_DIR"] = tempfile.mkdtemp(prefix="smsportal-tests-")

    @atexit.register
    def _delete_data() -> None:
        # A forked child inherits this hook, and must not delete the folder.
        if os.getpid() == _owner:
            shutil.rmtree(os.environ["TEST_DATA_DIR"], ignore_errors=True)


_DATA = os.environ["TEST_DATA_DIR"]
# Each worker of a parallel run has its own database, and so its own fence beside it.
_WORKER_DATA = f"{_DATA}/{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
# whitenoise warns if the folder of collected files is missing.
os.makedirs(f"{_WORKER_DATA}/static", exist_ok=True)
os.environ.update(
    {
        "ENV_FILE": "",
        "DATA_DIR": _WORKER_DATA,
        "STATE_DIR": f"{_WORKER_DATA}-state",
        "SECRET_KEY": "a key for tests only, long enough for the check of its length 0123456789",
        "SECRETS_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{_DATA}/portal.sqlite3",
        "PUBLIC_ADDRESS": "http://testserver",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost,[::1]",
        # Tests of these rules turn them on. Portals that tests start have them off, too.
        "SECOND_FACTOR_ROLES": "none",
        "CONFIRM_MINUTES": "0",
        "ALLOW_HTTP_PROVIDERS": "true",
        "ALLOW_PRIVATE_PROVIDERS": "true",
        # Playwright runs an event loop in the thread of the test.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    }
)

from smsportal.configuration.environment import BASE_DIR  # noqa: E402
from smsportal.settings import *  # noqa: E402, F403
from smsportal.settings import DATABASES, ON_SQLITE, STATICFILES_DIRS, STORAGES  # noqa: E402

if ON_SQLITE:
    DATABASES["default"]["TEST"] = {"NAME": f"{_DATA}/test.sqlite3"}

DATABASE_MAY_LOSE_COMMITS = True
# A strong hash takes a tenth of a second for every user that a test creates.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The manifest exists only after collectstatic.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Contains a blank page, which the browser opens between tests.
STATICFILES_DIRS = [*STATICFILES_DIRS, BASE_DIR / "tests" / "browser" / "static"]
CACHES = {"default": {"BACKEND": "tests.support.json_memory_cache.JsonMemoryCache"}}
# Failed sign-ins would add up across tests. The tests of the lockout enable it.
AXES_ENABLED = False
# A test looks at a page right after it has changed what the page counts.
PAGE_MEMORY_SECONDS = 0
