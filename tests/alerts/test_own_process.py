"""The library that sends is loaded by a process of its own alone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

PROGRAM: Final = """
import sys
import django
django.setup()
import smsportal.urls
import alerts.tasks
found = [name for name in sys.modules if name.partition(".")[0] == "apprise"]
print("loaded" if found else "not loaded")
"""


@pytest.mark.slow
def test_neither_pages_nor_workers_load_the_library() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment
    )
    assert ended.stdout.strip() == "not loaded", ended.stderr


def test_process_that_sends_loads_no_django() -> None:
    program = "import sys, alerts.transport_child; print('django' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout.strip() == "False", ended.stderr
