"""What a process of the web server has loaded when it begins to serve."""

from __future__ import annotations

import os
import subprocess
import sys

from smsportal.environment import BASE_DIR


def test_the_first_to_come_waits_for_no_page_to_be_loaded() -> None:
    told = "import sys, smsportal.wsgi; print('messaging.admin' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", told],
        cwd=BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"
