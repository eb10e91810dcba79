"""Signs in, sends one message through the form and waits until the portal shows it as delivered.

Run beside a portal, in its network: `python -m tests.deploy.visit ADDRESS NAME`, with the password
as its standard input. Prints how many seconds each step took, as JSON.
"""

from __future__ import annotations

import html
import json
import re
import secrets
import sys
import time
from typing import Final
from urllib.parse import urljoin

import requests
import urllib3

FORM: Final = "/messaging/message/send/"
TOKEN: Final = re.compile(r'name="form_token" value="([^"]+)"')
ACCOUNT: Final = re.compile(r'<option value="([^"]+)"[^>]*>\s*HAORUI')
STATE: Final = re.compile(r">\s*Delivered\s*<")
AT_MOST: Final = 120.0


class Visit:
    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = self._session.verify = False

    def sign_in(self, name: str, password: str) -> None:
        self._get("/login/")
        self._post("/login/", {"username": name, "password": password, "next": "/"})

    def send(self) -> str:
        """Returns the path of the page to which the portal leads then."""
        page = self._get(FORM)
        account = _found(ACCOUNT, page, "The form offers no such account.")
        token = _found(TOKEN, self._get(f"{FORM}?account={account}"), "This page has no form.")
        fields = {
            "form_token": token,
            "confirmed": "",
            "account": account,
            "recipient": "+8613900001234",
            "sms_kind": "T",
            "sender_id": "PORTAL",
            # The portal asks back before it sends the same again.
            "text": f"Your parcel {secrets.token_hex(4)} is here.",
        }
        return self._post(FORM, fields)

    def wait_until_delivered(self, path: str) -> None:
        until = time.monotonic() + AT_MOST
        while not STATE.search(page := self._get(path)):
            if time.monotonic() > until:
                raise SystemExit(f"Not delivered: {_words(page)}")
            time.sleep(0.5)

    def _get(self, path: str) -> str:
        answer = self._session.get(urljoin(self._address, path), timeout=30)
        answer.raise_for_status()
        return answer.text

    def _post(self, path: str, fields: dict[str, str]) -> str:
        url = urljoin(self._address, path)
        token = str(self._session.cookies["csrftoken"])
        answer = self._session.post(
            url,
            {**fields, "csrfmiddlewaretoken": token},
            headers={"Referer": url},
            timeout=30,
            allow_redirects=False,
        )
        if answer.status_code != requests.codes.found:
            raise SystemExit(f"{path} was not accepted: {_words(answer.text)}")
        return answer.headers["Location"]


def _found(pattern: re.Pattern[str], page: str, complaint: str) -> str:
    if (match := pattern.search(page)) is None:
        raise SystemExit(f"{complaint} {_words(page)}")
    return html.unescape(match[1])


def _words(page: str) -> str:
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(text.split())[:2000]


def main() -> None:
    urllib3.disable_warnings()
    address, name = sys.argv[1:]
    visit, began = Visit(address), time.monotonic()
    visit.sign_in(name, sys.stdin.readline().strip())
    signed_in = time.monotonic()
    path = visit.send()
    visit.wait_until_delivered(path)
    steps = {"sign_in": signed_in - began, "delivered": time.monotonic() - signed_in}
    json.dump(steps, sys.stdout)


if __name__ == "__main__":
    main()
