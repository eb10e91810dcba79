"""`manage.py sandbox` says what a person needs to add an account of it."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from providers.management.commands import sandbox as command
from sandbox.credentials import GOSMS_API_KEY, HAORUI_API_ID, HAORUI_API_PASSWORD


class Stopped:
    """An event that has already happened."""

    def set(self) -> None: ...

    def wait(self) -> None: ...


def test_addresses_and_credentials_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "threading", SimpleNamespace(Event=Stopped))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    out = StringIO()
    call_command("sandbox", port=0, stdout=out)
    lines = out.getvalue().splitlines()
    (haorui,) = (line for line in lines if "/haorui" in line)
    assert haorui.endswith(f"{HAORUI_API_ID} / {HAORUI_API_PASSWORD}")
    assert any(line.endswith(f"/gosms/api/v1  {GOSMS_API_KEY}") for line in lines)
