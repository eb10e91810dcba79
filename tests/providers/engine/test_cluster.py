"""The engine as in production: a django-q2 cluster in processes of its own.

No test waits for a fixed time. It polls until the condition holds, and fails long after it should
have held.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from messaging.engine.source import MessageSource
from messaging.models import Message
from providers.engine import heartbeats, leases
from providers.models import Heartbeat
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.providers.engine.cluster import Cluster, wait_for
from tests.support.engine import is_settled, run_rounds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.kill()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


def is_in(message: Message, state: str) -> bool:
    return Message.objects.filter(pk=message.pk, state=state).exists()


def test_cluster_sends_messages_and_finishes_them_on_sigterm(
    cluster: Cluster, sandbox: Sandbox
) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    message = make_message(account)
    cluster.start()
    wait_for(lambda: is_settled(message), "the first message")
    assert message.state == "submitted"

    # The loop runs by now, so nothing wakes it. The cluster stops in the middle of a call.
    sandbox.fault("slow", provider="haorui", seconds=1)
    under_way = make_message(account)
    wait_for(lambda: is_in(under_way, "sending"), "the second message's call")
    cluster.stop()

    under_way.refresh_from_db()
    assert under_way.state == "submitted"
    assert sandbox.book.repeated() == []
    assert len(sandbox.book.entries()) == 2
    assert not leases.is_engine_alive()
    assert heartbeats.living_loops() == []


def test_call_of_a_killed_cluster_becomes_unknown_and_is_not_repeated(
    cluster: Cluster, sandbox: Sandbox
) -> None:
    sandbox.fault("never_answers", provider="haorui", calls=None)
    message = make_message(make_account("haorui", sandbox))
    cluster.start()
    wait_for(sandbox.book.entries, "the call")
    wait_for(lambda: is_in(message, "sending"), "the mark of the call")

    cluster.kill()

    assert is_in(message, "sending")
    long_ago = timezone.now() - timedelta(seconds=121)
    Message.objects.update(handed_over_at=long_ago, claimed_at=long_ago)
    Heartbeat.objects.update(beat_at=long_ago)
    MessageSource().sweep()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("unknown", "cut_off")

    run_rounds()
    assert len(sandbox.book.entries()) == 1
