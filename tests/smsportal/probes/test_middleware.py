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


@pytest.mark.parametrize(
    ("address", "network", "status"),
    [
        ("2001:db8::5", "2001:db8::/32", 200),
        ("2001:db9::5", "2001:db8::/32", 404),
        ("fe80::1%eth0", "fe80::/10", 200),
        ("::ffff:10.0.0.1", "10.0.0.0/8", 200),
        ("10.0.0.1", "::/0", 404),
        ("", "0.0.0.0/0", 404),
    ],
)
def test_networks_may_be_of_either_kind(
    client: Client, settings: Any, address: str, network: str, status: int
) -> None:
    settings.METRICS_NETWORKS = [network]
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == status


def test_proxy_that_no_setting_names_opens_metrics_to_nobody(client: Client, settings: Any) -> None:
    """Everybody behind it has its address."""
    settings.METRICS_NETWORKS = ["127.0.0.0/8"]
    forwarded: dict[str, Any] = {
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_FORWARDED_FOR": "93.184.216.34",
    }
    assert client.get("/metrics", **forwarded).status_code == 404
    assert "details" not in client.get("/readyz", **forwarded).json()
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert client.get("/metrics", **forwarded).status_code == 404
    settings.METRICS_NETWORKS = ["93.184.216.0/24"]
    assert client.get("/metrics", **forwarded).status_code == 200


@pytest.mark.parametrize("host", ["", "a" * 5000, "[::1", "evil\r\nX: y", "user@host"])
def test_probes_do_not_look_at_the_name_of_the_host(client: Client, host: str) -> None:
    assert client.get("/readyz", HTTP_HOST=host).status_code == 200


@pytest.mark.parametrize("token", [TOKEN * 5000, f"{TOKEN}\0", f"{TOKEN} x", "\xff\xfe"])
def test_odd_token_is_a_wrong_one(client: Client, settings: Any, token: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    for ask in (client.get, client.head):
        assert ask("/metrics", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


def test_a_forged_address_does_not_open_metrics(client: Client, settings: Any) -> None:
    settings.METRICS_NETWORKS = ["10.0.0.0/8"]
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="10.1.1.1").status_code == 404
