"""The modules that a web process loads before it serves."""

from __future__ import annotations

import os
import subprocess
import sys

from smsportal.configuration.environment import BASE_DIR


def test_web_process_loads_all_pages_before_it_serves() -> None:
    script = "import sys, smsportal.wsgi; print('messaging.admin' in sys.modules)"
    completed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert completed.stdout.strip() == "True"
