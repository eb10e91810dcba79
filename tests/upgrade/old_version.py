"""The code of the last release, as a host beside one of the current code."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest

from smsportal.configuration.environment import BASE_DIR
from tests.support.hosts import Host

RELEASE: Final = "7781e0e59fe23e2ea5f5d35d2c1c50efe071ca1a"
"""The commit of release 0.1.0."""


def unpack_release(folder: Path) -> None:
    """Unpack the code of the release. Skips the test if the history does not contain it."""
    command = ["git", "-C", str(BASE_DIR), "archive", "--format=zip", RELEASE]
    try:
        packed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("The last release is not in this copy of the history.")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)


class OldHost(Host):
    """A host of the release. Its code is in the folder `code` beside its data."""

    def __init__(self, folder: Path, database: str, **settings: str) -> None:
        super().__init__(folder, database, **settings)
        self.code = self.started_in = folder / "code"
        self.environment["DJANGO_SETTINGS_MODULE"] = "smsportal.settings"
        unpack_release(self.code)
        self._first_token = 1_000_000

    def call(self, script: str, **values: object) -> Any:
        """Run a script with the code of the release. Returns what it assigns to `answer`.

        The values must be of JSON, and so must the answer.
        """
        # A form whose token is known makes nothing.
        self._first_token += 1000
        lines = [
            "import itertools, json",
            "from tests import builders",
            f"builders._serial = itertools.count({self._first_token})",
            f"globals().update(json.loads({json.dumps(values)!r}))",
            "answer = None",
            script,
            "print(json.dumps(answer))",
        ]
        done = self.manage("shell", "-v", "0", "-c", "\n".join(lines))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


MAKE_ACCOUNTS: Final = """
from django.contrib.auth.models import User
from tests.builders import make_account
User.objects.create_superuser("chief", password=password)
answer = {
    name: make_account(provider, name=name, credentials=credentials, base_url=url, **fields).pk
    for name, provider, credentials, url, fields in accounts
}
"""
NAME_UNKNOWN_TASKS: Final = """
import pydoc
answer = [name for name in names if pydoc.locate(name) is None]
"""
MAKE_WORK: Final = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from messaging.batches import control
from providers.models import Account
from tests.builders import make_batch, make_order, numbers, start_batch
from tests.otp.making import make_session
chief = User.objects.get(username="chief")
of = {account.name: account for account in Account.objects.all()}
running = start_batch(make_batch(numbers(rows), of["bulk"], by=chief))
scheduled = make_batch(numbers(5, 10_000), of["bulk"], by=chief)
assert control.schedule(scheduled, chief, timezone.now() + timedelta(hours=1))
session = make_session(of["checked"], recipient="+8613700000001", typed="", by=chief)
make_session(of["codes"], recipient="+8613700000002", by=chief)
order = make_order(of["rent"], project="nosms", region="ID", by=chief)
answer = [running.pk, scheduled.pk, session.pk, order.pk]
"""
ASK_FOR_BATCH: Final = """
from django.contrib.auth.models import User
from providers.models import Account
from tests.builders import make_batch, numbers
chief, account = User.objects.get(username="chief"), Account.objects.get(name="bulk")
answer = make_batch(numbers(5, 20_000), account, by=chief, read_it=False).pk
"""
START_BATCH_AND_SEND: Final = """
from django.contrib.auth.models import User
from messaging.batches import control
from messaging.models import Batch
from providers.models import Account
from tests.builders import make_message
chief, account = User.objects.get(username="chief"), Account.objects.get(name="second")
assert control.start(Batch.objects.get(pk=batch), chief)
answer = make_message(account, recipient="+8613600000001", by=chief).pk
"""
