"""Pages are compressed, but nothing whose length another site could learn from."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from smsportal.middleware.compression import CompressionMiddleware
from tests.support.signed_in import browser_of, member

WORDS = b"the same words again and again " * 20


def answer_to(response: HttpResponseBase, site: str | None = None) -> HttpResponseBase:
    headers = {"Accept-Encoding": "gzip, br"} | ({"Sec-Fetch-Site": site} if site else {})
    request = RequestFactory().get("/", headers=headers)

    def view(_request: HttpRequest) -> HttpResponseBase:
        return response

    answer = CompressionMiddleware(view)(request)
    assert isinstance(answer, HttpResponseBase)
    return answer


def is_compressed(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Encoding") == "gzip"


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_pages_and_fragments_are_compressed(kind: str) -> None:
    answer = answer_to(HttpResponse(WORDS, content_type=kind))
    assert isinstance(answer, HttpResponse)
    assert is_compressed(answer)
    assert gzip.decompress(answer.content) == WORDS
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_what_people_and_pages_of_the_portal_ask_for_is_compressed(site: str | None) -> None:
    assert is_compressed(answer_to(HttpResponse(WORDS), site))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_what_another_site_asks_for_is_not(site: str) -> None:
    assert not is_compressed(answer_to(HttpResponse(WORDS), site))


@pytest.mark.parametrize("kind", ["text/csv", "application/zip", "text/plain"])
def test_files_are_not(kind: str) -> None:
    assert not is_compressed(answer_to(HttpResponse(WORDS, content_type=kind)))


def test_streams_go_out_as_they_come() -> None:
    def rows() -> Iterator[bytes]:
        yield WORDS

    assert not is_compressed(answer_to(StreamingHttpResponse(rows())))


def test_the_length_of_a_page_varies() -> None:
    lengths = {len(answer_to(HttpResponse(WORDS)).content) for _ in range(20)}  # type: ignore[attr-defined]
    assert len(lengths) > 1


@pytest.mark.django_db
def test_the_portal_compresses_its_pages() -> None:
    client: Client = browser_of(member("operator"))
    answer = client.get("/messaging/message/", headers={"Accept-Encoding": "gzip"})
    assert is_compressed(answer)
    assert b"<html" in gzip.decompress(answer.content)


@pytest.mark.django_db
def test_a_poll_without_news_stays_empty() -> None:
    client: Client = browser_of(member("operator"))
    mark = client.get("/banner/").context["mark"]
    answer = client.get(f"/banner/?mark={mark}", headers={"Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.content) == (204, b"")
