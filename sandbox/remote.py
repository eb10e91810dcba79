"""A client for a sandbox in another process: the methods of `Switches`, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Self
from urllib.parse import urlencode

import requests

from sandbox import credentials

TIMEOUT = 5.0


class RemoteError(Exception):
    """The sandbox refused the call or cannot be reached. The text says which.

    `key` and `values` are those of `sandbox.provider.ControlError`, or the key is "unreachable".
    """

    def __init__(self, text: str, key: str = "", values: Mapping[str, object] | None = None):
        super().__init__(text)
        self.key = key
        self.values = dict(values or {})


class Remote:
    """The client, as in `Remote("http://127.0.0.1:8801")`.

    Every method raises RemoteError if it fails.
    """

    def __init__(self, base_url: str, timeout: float = TIMEOUT) -> None:
        self._base = base_url.rstrip("/") + "/_sandbox/"
        self._timeout = timeout
        self._session = requests.Session()
        # The sandbox runs on this machine or network, so no proxy from the environment applies.
        self._session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def state(self) -> dict[str, object]:
        """{"providers": […], "faults": […], "active": […], "counters": {…}, "repeated": […]}"""
        return self._call("state")

    def entries(
        self,
        provider: str = "",
        operation: str = "",
        kind: str = "",
        after: int = 0,
        limit: int = 100,
        polls: str = "",
    ) -> list[dict[str, object]]:
        """The newest entries of the book in order of arrival. Fields are those of `book.Entry`.

        `polls`: "only" calls that merely read, or "without" them.
        """
        query = {
            "provider": provider,
            "operation": operation,
            "kind": kind,
            "after": after,
            "limit": limit,
            "polls": polls,
        }
        entries = self._call("book?" + urlencode(query))["entries"]
        return list(entries) if isinstance(entries, list) else []

    def phones(self, entry: int = 0, limit: int = 50) -> dict[str, object]:
        """The phones that messages reached, and the bubbles of one. See `phones.Phones`."""
        return self._call("phones?" + urlencode({"entry": entry, "limit": limit}))

    def fault(
        self,
        fault_id: str,
        *,
        provider: str | None = None,
        operation: str | None = None,
        calls: int | None = 1,
        accept: bool | None = None,
        first_tries: bool = False,
        **options: float | str,
    ) -> dict[str, object]:
        """Switch a fault on for `calls` calls (None: for all). Returns it with its number."""
        return self._call(
            "faults/set",
            {
                "fault": fault_id,
                "provider": provider,
                "operation": operation,
                "calls": calls,
                "accept": accept,
                "first_tries": first_tries,
                "options": options,
            },
        )

    def clear_faults(self, number: int | None = None) -> None:
        self._call("faults/clear", {"number": number})

    def clear(self) -> None:
        """Forget messages, the book, faults and pending reports."""
        self._call("clear", {})

    def report(
        self, provider: str, message_id: str, word: str, *, delay: float = 0.0, **fields: str
    ) -> None:
        """Push one delivery report in `delay` seconds. `fields` overrides fields of it."""
        values = {"provider": provider, "message_id": message_id, "word": word, "fields": fields}
        self._call("report", {**values, "delay": delay})

    def deliver_sms(
        self, message_id: str | int, text: str, code: str | None = None, provider: str = "gosms"
    ) -> None:
        values = {"provider": provider, "message_id": message_id, "text": text, "code": code}
        self._call("sms", values)

    def add_account(
        self, provider: str, label: str, login: str, secret: str = "", **changes: object
    ) -> None:
        values = {"provider": provider, "label": label, "login": login, "secret": secret}
        self._call("accounts/add", {**values, "changes": changes})

    def change_account(
        self, provider: str, label: str = credentials.PRACTICE, **changes: object
    ) -> None:
        values = {"provider": provider, "label": label, "changes": changes}
        self._call("accounts/change", values)

    def change_settings(self, provider: str, **changes: object) -> None:
        self._call("settings", {"provider": provider, "changes": changes})

    def _call(self, path: str, values: Mapping[str, object] | None = None) -> dict[str, object]:
        try:
            if values is None:
                response = self._session.get(self._base + path, timeout=self._timeout)
            else:
                body = json.dumps(values, default=str)
                response = self._session.post(
                    self._base + path,
                    data=body,
                    headers={"Content-Type": "application/json"},
                    timeout=self._timeout,
                )
            answer = response.json()
        except (requests.RequestException, ValueError):
            raise RemoteError("The sandbox cannot be reached.", "unreachable") from None
        answer = answer if isinstance(answer, dict) else {}
        if response.status_code != HTTPStatus.OK:
            values = answer.get("values")
            raise RemoteError(
                str(answer.get("error", f"Status {response.status_code}.")),
                str(answer.get("key", "")),
                values if isinstance(values, dict) else None,
            )
        return answer
