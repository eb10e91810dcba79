"""Settings of a cluster that a test starts: the test's database, and a cache that the cluster
shares with its workers."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_CLUSTER_DATABASE"]
CACHES = {
    "default": {
        "BACKEND": "core.caches.JsonFileCache",
        "LOCATION": os.environ["TEST_CLUSTER_CACHE"],
    }
}
