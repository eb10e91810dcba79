"""The portal's own settings, on a database server that need not survive a power cut.

For tests and measurements that run whole portals. Their PostgreSQL server does not sync to the
disk, which the portal otherwise refuses.
"""

from __future__ import annotations

from smsportal.settings import *  # noqa: F403

DATABASE_MAY_LOSE_COMMITS = True
# Those who sign in are programs without a phone.
SECOND_FACTOR_ROLES = []
CONFIRM_MINUTES = 0
