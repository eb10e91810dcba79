"""The clients against the second set of fakes, over real HTTP, in every writing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from django.utils import timezone

from core.secrets import Secret
from providers.clients.gosms import GoSMS
from providers.clients.haorui import Haorui
from providers.clients.haosms import HaoSMS
from providers.clients.otpservice import OtpService
from providers.gateway.call import Login
from providers.gateway.client import Client
from providers.gateway.errors import NotDone, Refused
from providers.gateway.http.client import AddressPolicy, Connections, Deadlines, HttpClient
from providers.gateway.vocabulary import (
    CodeCheck,
    Encoding,
    OrderState,
    OwnCode,
    ProviderCode,
    Reason,
    SmsKind,
    TextMessage,
)
from rentals import poll_intervals
from rentals.models import Order

from .providers import LIFETIME, FakeGoSMS, FakeHaorui, FakeHaoSMS, FakeOtpService
from .server import Fake
from .wire_formats import WRITINGS, Writing

ALL_WRITINGS = pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS)
F = TypeVar("F", bound=Fake)
C = TypeVar("C", bound=Client)
MESSAGE = TextMessage("+8613912345678", "Hello", SmsKind.MARKETING, "SHOP", Encoding.GSM7, "m-1")


class Quiet:
    def wait(self, operation: Any) -> None: ...

    def slow_down(self, seconds: float) -> None: ...

    def record(self, record: Any) -> None: ...


@pytest.fixture
def start() -> Iterator[Callable[[F], F]]:
    started: list[Fake] = []

    def remember(fake: F) -> F:
        started.append(fake)
        return fake

    yield remember
    for fake in started:
        fake.close()


def client_of(
    kind: type[C], url: str, secrets: Mapping[str, str], options: Mapping[str, object] | None = None
) -> C:
    policy = AddressPolicy(allow_http=True, allow_private=True)
    login = Login(url, {name: Secret(value) for name, value in secrets.items()}, options or {})
    quiet = Quiet()
    connections = Connections(policy, Deadlines(5, 5, 10))
    http = HttpClient(
        connections, login, subject="", limiter=quiet, recorder=quiet, sleep=lambda seconds: None
    )
    return kind(login, http)


def haorui(fake: FakeHaorui, path: str = "") -> Haorui:
    secrets = {"api_id": "API1", "api_password": "secret-password"}
    return client_of(Haorui, fake.url + path, secrets, {"sender_ids": ["SHOP"]})


def gosms(fake: FakeGoSMS) -> GoSMS:
    return client_of(GoSMS, fake.url, {"api_key": "ch_right"})


def haosms(fake: Fake, key: str = "right", **options: object) -> HaoSMS:
    return client_of(HaoSMS, fake.url, {"api_key": key}, {"channels": ["通道1"], **options})


@ALL_WRITINGS
def test_haosms_accepts_refuses_and_states_its_balance(start: Any, writing: Writing) -> None:
    fake = start(FakeHaoSMS(writing))
    code = OwnCode("+8613912345678", "112233", "通道1", "2")
    assert haosms(fake).send_code(code).provider_id == "a42739630dbe4daa8d4f5f6a530a35bc"
    assert haosms(fake).fetch_balance().balance == Decimal("12.5")
    with pytest.raises(Refused) as refused:
        haosms(fake, "wrong").send_code(code)
    assert (refused.value.words, refused.value.reason) == ("密钥错误", Reason.OTHER_REFUSAL)


@ALL_WRITINGS
def test_haorui_accepts_and_refuses(start: Any, writing: Writing) -> None:
    fake = start(FakeHaorui(writing))
    sent = haorui(fake).send_text(MESSAGE)
    assert (sent.provider_id, sent.warnings) == ("26471304", ())
    fake.refuses = True
    with pytest.raises(Refused) as refused:
        haorui(fake).send_text(MESSAGE)
    assert refused.value.words == "余额不足"


def test_haorui_is_called_at_the_documents_address_with_its_path(start: Any) -> None:
    fake = start(FakeHaorui())
    assert haorui(fake, "/api").send_text(MESSAGE).provider_id == "26471304"
    with pytest.raises(Refused) as refused:
        haorui(fake, "/v2").send_text(MESSAGE)
    assert refused.value.reason is Reason.NOTHING_THERE


@ALL_WRITINGS
def test_otp_service_sends_and_checks(start: Any, writing: Writing) -> None:
    fake = start(FakeOtpService(writing))
    login = {"username": "shop", "password": "secret-password"}
    client = client_of(OtpService, fake.url, login)
    sent = client.start_code(ProviderCode("+8613912345678", "s-1"))
    assert sent.provider_id == "100"
    assert client.check_code(CodeCheck("100", "482913", "s-1")).passed is True
    assert client.check_code(CodeCheck("100", "000000", "s-1")).passed is False


@ALL_WRITINGS
def test_gosms_rents_and_receives(start: Any, writing: Writing) -> None:
    fake = start(FakeGoSMS(writing))
    client = gosms(fake)
    placed = client.place_order("whatsapp", "ID")
    assert (placed.order_id, placed.state) == ("12345", OrderState.PENDING)
    assert (placed.price, placed.code, placed.content) == (Decimal("0.50"), None, None)
    assert placed.warnings == ()
    fake.receive(12345, "000000")
    fetched = client.fetch_order("12345")
    assert (fetched.state, fetched.code) == (OrderState.RECEIVED, "000000")
    assert fetched.content == "您的验证码是 000000"
    page = client.list_orders(page=1, page_size=20)
    assert (page.total, [one.order_id for one in page.rentals]) == (1, ["12345"])
    assert client.fetch_balance().balance == Decimal("1000.50")


@ALL_WRITINGS
def test_order_of_gosms_ends_after_the_stated_lifetime(start: Any, writing: Writing) -> None:
    placed = gosms(start(FakeGoSMS(writing))).place_order("whatsapp", "ID")
    now = timezone.now()
    order = Order(
        created_there=placed.created_at,
        expires_there=placed.expires_at,
        raw_times=dict(placed.raw_times),
    )
    assert abs(poll_intervals.end_of(order, now) - now - LIFETIME) < timedelta(seconds=20)


@pytest.mark.parametrize("error", [None, "", {}, [], False, 0, "null", "none", "0", "无"])
def test_error_that_names_none_is_none(start: Any, error: object) -> None:
    fake = start(FakeGoSMS())
    fake.error = error
    assert gosms(fake).place_order("whatsapp", "ID").order_id == "12345"


def test_redirect_names_its_host_and_is_not_followed(start: Any) -> None:
    elsewhere = start(FakeHaoSMS())
    code = OwnCode("+8613912345678", "112233", "通道1", "2")
    for target, reason, words in (
        (f"{elsewhere.url}/login?api_key=right", Reason.REDIRECTED, elsewhere.url),
        ("/extra_api/otp_msg/", Reason.REDIRECTED_TO_SLASH, "/extra_api/otp_msg/"),
        ("https://provider.example/x", Reason.REDIRECTED, "https://provider.example"),
    ):
        fake = start(Redirecting(target))
        with pytest.raises(NotDone) as raised:
            haosms(fake).send_code(code)
        assert (raised.value.reason, raised.value.words) == (reason, words)
        assert raised.value.pauses_account
    assert elsewhere.asked == []


class Redirecting(Fake):
    """Redirects every request."""

    def __init__(self, target: str) -> None:
        self.target = target
        super().__init__()

    def __post_init__(self) -> None:
        super().__post_init__()
        fake = self
        handler: Any = self._server.RequestHandlerClass

        class Moved(handler):
            def send_response(self, code: int, message: str | None = None) -> None:
                super().send_response(308)
                self.send_header("Location", fake.target)

        self._server.RequestHandlerClass = Moved

    def answer(self, asked: Any) -> tuple[int, bytes]:
        return 308, b""
