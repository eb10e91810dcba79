"""`manage.py qcluster`: a cluster of the queue, after a look at this host's keys.

A cluster deletes each task that it cannot verify, so it must not fetch one with another key.
"""

from __future__ import annotations

import gc
import importlib
import os
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django_q import conf
from django_q.management.commands import qcluster

from smsportal.startup import database_errors
from smsportal.startup.key_comparison import KeysDoNotFit, require_fitting_keys
from smsportal.task_queue import known_tasks
from smsportal.task_queue import sentinel as queue_sentinel


class Command(qcluster.Command):
    def handle(self, *args: object, **options: Any) -> None:
        try:
            require_fitting_keys()
        except KeysDoNotFit as misfit:
            raise CommandError(str(misfit)) from None
        except DatabaseError as error:
            raise CommandError(database_errors.explain(error)) from None
        finally:
            # The cluster's processes are forked and must not share a connection.
            connection.close()
        read_name_again()
        queue_sentinel.install()
        known_tasks.install()
        _share_memory()
        super().handle(*args, **options)


def read_name_again() -> None:
    """Let django-q2 use the settings of the cluster that the environment names.

    It reads them when it is imported, which may have been before this process was forked.
    """
    known = conf.Conf
    if os.environ.get("Q_CLUSTER_NAME", known.CLUSTER_NAME) == known.CLUSTER_NAME:
        return
    read = vars(importlib.reload(conf).Conf)
    for name, value in read.items():
        if not name.startswith("__"):
            setattr(known, name, value)
    # Other modules have imported this class.
    conf.Conf = known


def _share_memory() -> None:
    """Leave what is loaded by now to all forked processes together.

    The garbage collector writes into each object that it looks at, and a page that is written to
    is copied.
    """
    gc.collect()
    gc.freeze()
