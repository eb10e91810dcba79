"""A member of staff at a portal."""

from __future__ import annotations

import functools
import html
import re
from collections import Counter
from collections.abc import Mapping

import requests
from django.urls import Resolver404, resolve, reverse

from tests.canary.planted import STAFF_PASSWORD, TIMEOUT
from tests.canary.portals import Portal

PAGES_OF_A_KIND = 2
"""How many messages, calls, accounts and so on each person opens. A manager opens six times as
many, and so every account."""


class Person:
    """A browser session, and every page that it was shown."""

    def __init__(self, portal: Portal, name: str) -> None:
        self.name = name
        self.pages: dict[str, str] = {}
        self._address = portal.address
        self._session = requests.Session()
        self._session.trust_env = False

    def sign_in(self, password: str = STAFF_PASSWORD) -> Person:
        typed = {"username": self.name, "password": password, "next": "/"}
        self.send(reverse("admin:login"), typed)
        return self

    def open(self, path: str) -> requests.Response:
        return self._keep(path, self._session.get(self._address + path, timeout=TIMEOUT))

    def send(
        self, path: str, values: Mapping[str, object], *, keep: bool = True
    ) -> requests.Response:
        token = self._session.cookies.get("csrftoken") or self._token(path)
        sent = {"csrfmiddlewaretoken": token, **values}
        answer = self._session.post(self._address + path, data=sent, timeout=TIMEOUT)
        return self._keep(f"POST {path}", answer) if keep else answer

    def _token(self, path: str) -> str:
        self._session.get(self._address + path, timeout=TIMEOUT)
        return str(self._session.cookies.get("csrftoken"))

    def _keep(self, path: str, answer: requests.Response) -> requests.Response:
        history = [f"{each.headers} {each.url}" for each in (*answer.history, answer)]
        # The same page may show something else at another moment.
        self.pages[f"{path} #{len(self.pages)}"] = "\n".join([*history, answer.text])
        return answer

    def crawl(self) -> int:
        """Open every page that links lead to, and each list once more, sorted or filtered.

        Returns the number of pages opened.
        """
        seen: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        most = 6 * PAGES_OF_A_KIND if self.name == "the-manager" else PAGES_OF_A_KIND
        waiting = ["/"]
        done: set[str] = set()
        while waiting:
            path = waiting.pop()
            bare = path.partition("?")[0]
            kind = page_kind(bare)
            often = 2 if kind.endswith("list") else 1
            if path in done or seen[bare] >= often or bare.startswith("/static/"):
                continue
            if seen[bare] == 0:
                if kinds[kind] >= most:
                    continue
                kinds[kind] += 1
            seen[bare] += 1
            done.add(path)
            answer = self.open(path)
            assert answer.status_code < 500, path
            links = re.findall(r'(?:href|hx-get)="([^"#]+)"', answer.text)
            for link in map(html.unescape, links):
                joined = f"{bare}{link}" if link.startswith("?") else link
                if joined.startswith("/") and "logout" not in joined:
                    waiting.append(joined)
        return len(done)

    def leave(self) -> None:
        self._session.close()


@functools.cache
def page_kind(path: str) -> str:
    """The URL name of a path: pages with the same name differ only in their object."""
    try:
        return str(resolve(path).url_name)
    except Resolver404:
        return path
