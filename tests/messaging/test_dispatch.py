"""A message's way through the engine, over real HTTP against the practice providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from messaging.models import Message
from messaging.states import MessageState
from providers.models import ApiCall
from providers.sandbox.server import Sandbox
from tests.builders import make_account, make_message, run_engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def send(message: Message) -> Message:
    def is_over() -> bool:
        message.refresh_from_db()
        return message.state not in {"queued", "claimed", "sending"}

    run_engine(is_over)
    return message


@pytest.mark.parametrize(
    ("provider", "kind"),
    [("haorui", "text"), ("haosms", "own_code"), ("otpservice", "provider_code")],
)
def test_a_message_reaches_its_provider_once(
    sandbox: Sandbox, provider: str, kind: str
) -> None:
    message = make_message(make_account(provider, sandbox), kind=kind)

    sent = send(message)

    assert sent.state == MessageState.SUBMITTED
    assert len(sandbox.book.entries(provider=provider)) == 1
    assert ApiCall.objects.get().subject == f"message:{message.pk}"
