"""Probes of load balancers, and who may read details and metrics."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

TOKEN = "a-token-of-enough-length"
PATHS = ("/livez", "/readyz", "/metrics")

pytestmark = pytest.mark.django_db


def test_live_needs_no_database(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


@pytest.mark.parametrize("path", PATHS)
def test_probes_may_name_the_host_by_its_address(client: Client, path: str, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get(path, HTTP_HOST="10.1.2.3", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
def test_probes_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
    assert client.head("/livez").status_code == 200


def test_probes_set_no_cookie(client: Client) -> None:
    assert not client.get("/readyz").cookies


def test_metrics_do_not_exist_where_nobody_may_read_them(client: Client) -> None:
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer ä"]
)
def test_metrics_need_the_token(client: Client, settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert b"smsportal_" not in answer.content


@pytest.mark.parametrize(("network", "status"), [("127.0.0.0/8", 200), ("10.0.0.0/8", 404)])
def test_metrics_are_bound_to_networks(
    client: Client, settings: Any, network: str, status: int
) -> None:
    settings.METRICS_NETWORKS = [network]
    assert client.get("/metrics").status_code == status


def test_a_forged_address_does_not_open_metrics(client: Client, settings: Any) -> None:
    settings.METRICS_NETWORKS = ["10.0.0.0/8"]
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="10.1.1.1").status_code == 404
