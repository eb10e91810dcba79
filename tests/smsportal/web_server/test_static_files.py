"""Two hosts of different versions behind one proxy: each serves the files of the other's pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.http.response import ResponseHeaders
from django.test import RequestFactory
from pytest_django import Settings

from smsportal.startup.assets import collect
from smsportal.web_server.static_files import StaticFilesMiddleware

# Closing an answer also closes old connections, which another test may have left open.
pytestmark = pytest.mark.django_db

HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"
OLD = {
    "portal/portal.css": "a { background: url(icon.svg) }",
    "portal/icon.svg": "<svg id='old'/>",
    "portal/gone.js": "gone()",
}
NEW = {
    "portal/portal.css": "b { background: url(icon.svg) }",
    "portal/icon.svg": "<svg id='new'/>",
    "portal/added.js": "added()",
}
DJANGO = "from Django"


@dataclass
class Version:
    """The addresses in the pages of one version, and the host that serves its files."""

    urls: dict[str, str]
    middleware: StaticFilesMiddleware

    def get(self, url: str) -> tuple[str, ResponseHeaders]:
        """The content and the headers of the answer."""
        answer: Any = self.middleware(RequestFactory().get(url))
        assert answer.status_code == 200
        content = b"".join(answer) if answer.streaming else answer.content
        answer.close()
        return content.decode(), answer.headers

    def read(self, url: str) -> str:
        return self.get(url)[0]


@pytest.fixture
def versions(tmp_path: Path, settings: Settings) -> tuple[Version, Version]:
    return (
        make_version(tmp_path / "old", OLD, tmp_path / "old" / "root", settings),
        make_version(tmp_path / "new", NEW, tmp_path / "new" / "root", settings),
    )


def make_version(folder: Path, contents: dict[str, str], root: Path, settings: Settings) -> Version:
    for name, text in contents.items():
        file = folder / "sources" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    settings.STATICFILES_DIRS = [folder / "sources"]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": HASHED}}
    settings.STATIC_ROOT = str(root)
    collect()
    # The storage reads its manifest once.
    settings.STATIC_ROOT = f"{root}/"
    urls = {name: str(staticfiles_storage.url(name)) for name in contents}
    return Version(urls, StaticFilesMiddleware(from_django))


def from_django(request: HttpRequest) -> HttpResponse:
    return HttpResponse(DJANGO)


def test_own_files_may_be_cached_for_good(versions: tuple[Version, Version]) -> None:
    for version, contents in zip(versions, (OLD, NEW), strict=True):
        for name, url in version.urls.items():
            content, headers = version.get(url)
            assert "immutable" in headers["Cache-Control"]
            # Addresses in style sheets are replaced.
            assert name.endswith(".css") or content == contents[name]


def test_files_of_the_other_version_are_answered_with_own_ones_for_a_minute(
    versions: tuple[Version, Version],
) -> None:
    old, new = versions
    for asked, host, contents in ((old, new, NEW), (new, old, OLD)):
        url = asked.urls["portal/icon.svg"]
        assert url not in host.urls.values()
        content, headers = host.get(url)
        assert content == contents["portal/icon.svg"]
        assert headers["Cache-Control"] == "max-age=60, public"
        assert headers["Content-Type"] == "image/svg+xml"


def test_files_that_only_the_other_version_has_are_left_to_django(
    versions: tuple[Version, Version],
) -> None:
    old, new = versions
    assert new.read(old.urls["portal/gone.js"]) == DJANGO
    assert old.read(new.urls["portal/added.js"]) == DJANGO


@pytest.mark.parametrize(
    "url",
    [
        "/static/portal/icon.svg",
        "/static/portal/icon.0123456789ab.svg",
    ],
)
def test_name_with_any_digest_or_none_is_answered(
    versions: tuple[Version, Version], url: str
) -> None:
    assert versions[1].read(url) == NEW["portal/icon.svg"]


@pytest.mark.parametrize(
    "url",
    [
        "/static/portal/icon.0123456789a.svg",
        "/static/portal/icon.0123456789AB.svg",
        "/static/portal/icon.0123456789ab.svg/",
        "/static/portal/icon.0123456789ab.png",
        "/static/portal.0123456789ab/icon.svg",
        "/static/../portal/icon.0123456789ab.svg",
        "/portal/icon.0123456789ab.svg",
    ],
)
def test_other_addresses_are_left_to_django(versions: tuple[Version, Version], url: str) -> None:
    assert versions[1].read(url) == DJANGO


def test_upgraded_host_has_the_files_of_both_versions(tmp_path: Path, settings: Settings) -> None:
    """Pages that are open in a browser during the upgrade keep their very own files."""
    root = tmp_path / "root"
    old = make_version(tmp_path / "old", OLD, root, settings)
    new = make_version(tmp_path / "new", NEW, root, settings)
    assert new.read(old.urls["portal/icon.svg"]) == OLD["portal/icon.svg"]
    assert new.read(old.urls["portal/gone.js"]) == OLD["portal/gone.js"]
    assert new.read(new.urls["portal/icon.svg"]) == NEW["portal/icon.svg"]
