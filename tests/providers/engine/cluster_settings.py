"""The settings of a cluster that a test starts: its database, and a cache that it shares
with its own workers, as every cluster needs."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_CLUSTER_DATABASE"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": os.environ["TEST_CLUSTER_CACHE"],
    }
}
