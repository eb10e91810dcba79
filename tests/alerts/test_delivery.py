"""Alerts on their way: through real servers on loopback, and what is kept of each try."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django_q.models import OrmQ

from alerts import dead_man, outbox, tasks, transport
from alerts.evaluate import evaluate
from alerts.models import Delivery, Watch, the_watch
from alerts.presentation.dashboard import unreached
from alerts.receiver_changes import save_ping, send_test
from alerts.states import DeliveryState, Occasion
from alerts.targets import Target
from alerts.transport import Sent
from core.secrets import Secret
from providers import clock
from tests.alerts.world import Mailbox, Webhook, later, make_receiver, make_rule, running
from tests.factories.accounts import make_account
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
D = DeliveryState


@pytest.fixture(autouse=True)
def _private_receivers(settings: Any) -> None:
    settings.ALLOW_PRIVATE_ALERTS = True


def make_delivery(**fields: Any) -> Delivery:
    receiver = fields.pop("receiver", None) or make_receiver()
    values = {"receiver_name": receiver.name, "occasion": Occasion.TEST}
    return Delivery.objects.create(receiver=receiver, **{**values, **fields})


def answers(monkeypatch: pytest.MonkeyPatch, *errors: str) -> list[str]:
    """Let each message end so, the last one for ever. Returns the bodies."""
    bodies: list[str] = []

    def notify(_url: Secret, _title: str, body: str) -> Sent:
        bodies.append(body)
        return Sent(errors[min(len(bodies), len(errors)) - 1], 0.1)

    monkeypatch.setattr(transport, "notify", notify)
    return bodies


def test_webhook_and_mailbox_receive_an_alert_in_their_languages() -> None:
    hook, mail = Webhook(), Mailbox()
    with running(hook), running(mail):
        chat = make_receiver(f"json://{hook.address}/duty", language="zh-hans")
        box = make_receiver(
            f"mailto://{mail.address}?from=portal@example.com&to=duty@example.com", service="mail"
        )
        make_rule("paused", chat, box)
        account = make_account(name="Main")
        account.paused_at, account.pause_reason = clock.now(), "no_balance"
        account.save()
        tasks.watch()
        tasks.deliver()
    assert [row.state for row in Delivery.objects.all()] == [D.DELIVERED, D.DELIVERED]
    path, posted = hook.got[0]
    assert path == "/duty"
    assert posted["title"].startswith("短信平台")
    assert "Main" in posted["title"]
    (letter,) = mail.got
    assert letter["Subject"].startswith("SMS portal: Main is paused")
    assert letter["To"] == "duty@example.com"
    body = letter.get_body(("plain", "html")).get_content()
    assert "http://testserver/providers/account/" in body


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [(404, {}, "http_404"), (302, {"Location": "/elsewhere"}, "http_302")],
)
def test_answer_of_a_webhook_is_kept_and_a_redirection_is_not_followed(
    status: int, headers: dict[str, str], error: str
) -> None:
    hook = Webhook()
    hook.status, hook.headers_sent = status, headers
    with running(hook):
        sent = transport.notify(Secret(f"json://{hook.address}/x"), "t", "b")
    assert sent.error == error
    assert len(hook.got) == 1


def test_private_address_is_refused_when_connecting(settings: Any) -> None:
    """Also of a name that resolved elsewhere when it was saved."""
    settings.ALLOW_PRIVATE_ALERTS = False
    hook = Webhook()
    with running(hook):
        name = hook.address.replace("127.0.0.1", "localhost")
        assert transport.notify(Secret(f"jsons://{name}/x"), "t", "b").error == "private"
        assert transport.ping(Secret(f"http://{hook.address}/x")).error == "private"
    assert hook.got == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "apprise://127.0.0.1/x", "json://", "json://127.0.0.1/?verify=no"]
)
def test_address_that_is_not_allowed_is_refused_also_if_it_was_stored(url: str) -> None:
    """By whoever can write to the database."""
    assert transport.notify(Secret(url), "t", "b").error == "not_understood"


def test_process_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SECONDS", 0.05)
    assert transport.notify(Secret("json://127.0.0.1:9/"), "t", "b").error == "timeout"


def test_failed_alert_is_tried_again_and_at_last_needs_attention(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bodies = answers(monkeypatch, "http_500")
    delivery = make_delivery(occasion=Occasion.ALERT, kind="hold", lines=["x"])
    for minutes in (0, 2, 6, 20, 40):
        with later(timedelta(minutes=minutes)):
            outbox.deliver_some()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.error) == (D.FAILED, 4, "http_500")
    assert len(bodies) == 4
    assert unreached() == 1


def test_later_success_takes_the_receiver_off_the_attention_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers(monkeypatch, "timeout", "")
    receiver = make_receiver()
    make_delivery(receiver=receiver)
    outbox.deliver_some()
    assert unreached() == 1
    make_delivery(receiver=receiver)
    outbox.deliver_some()
    assert unreached() == 0


def test_alert_whose_worker_ended_midway_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bodies = answers(monkeypatch, "")
    delivery = make_delivery()
    assert outbox._claim() == delivery
    for minutes in (1, 5, 30):
        with later(timedelta(minutes=minutes)):
            outbox.settle_interrupted()
            outbox.deliver_some()
    delivery.refresh_from_db()
    assert delivery.state == D.UNCLEAR
    assert bodies == []
    assert unreached() == 1


def test_restart_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = answers(monkeypatch, "")
    make_rule("backup", limit=1)
    with later(timedelta(hours=2)):
        for _start in range(3):
            tasks.watch()
            tasks.deliver()
    assert len(bodies) == 1


def test_message_that_a_wrong_clock_wrote_is_sent_now(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "")
    with later(timedelta(days=400)):
        waiting = make_delivery()
        begun = make_delivery(state=D.SENDING, claimed_at=clock.now())
    tasks.watch()
    outbox.deliver_some()
    waiting.refresh_from_db()
    begun.refresh_from_db()
    assert (waiting.state, begun.state) == (D.DELIVERED, D.UNCLEAR)


def test_alert_that_waited_half_a_day_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = answers(monkeypatch, "")
    delivery = make_delivery()
    with later(timedelta(hours=13)):
        outbox.deliver_some()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (D.FAILED, "too_late")
    assert bodies == []


def test_receiver_that_failed_before_does_not_delay_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers(monkeypatch, "timeout", "")
    dead = make_delivery(occasion=Occasion.ALERT)
    outbox.deliver_some()
    alive = make_delivery()
    with later(timedelta(minutes=5)):
        assert outbox._claim() == alive
        assert outbox._claim() == dead


def test_receiver_that_hangs_delays_the_others_by_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order: list[str] = []

    def notify(url: Secret, _title: str, _body: str) -> Sent:
        order.append(url.reveal())
        return Sent("timeout" if "hangs" in url.reveal() else "", 25.0)

    monkeypatch.setattr(transport, "notify", notify)
    hangs, works = make_receiver("json://hangs/"), make_receiver("json://works/")
    for receiver in (hangs, hangs, hangs, works, works):
        make_delivery(receiver=receiver, occasion=Occasion.ALERT)
    outbox.deliver_some()
    names = ["hangs" if "hangs" in url else "works" for url in order]
    assert names == ["hangs", "works", "works", "hangs", "hangs"]


def test_receiver_that_hangs_holds_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def notify(_url: Secret, _title: str, body: str) -> Sent:
        begun.append(body)
        # What another worker would do meanwhile.
        tasks.deliver()
        return Sent("", 25.0)

    monkeypatch.setattr(transport, "notify", notify)
    monkeypatch.setattr(outbox, "SLICE_SECONDS", 0.0001)
    for _ in range(3):
        make_delivery(occasion=Occasion.ALERT)
    tasks.deliver()
    assert len(begun) == 1
    assert OrmQ.objects.count() == 1, "one task goes on"
    tasks.deliver()
    assert len(begun) == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_alert_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = answers(monkeypatch, "")
    receiver = make_receiver()
    for _ in range(6):
        make_delivery(receiver=receiver)
    start = threading.Barrier(3)

    def worker() -> None:
        try:
            start.wait()
            while outbox.deliver_some():
                pass
        finally:
            connection.close()

    workers = [threading.Thread(target=worker) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert len(bodies) == 6
    assert set(Delivery.objects.values_list("state", "tries")) == {(D.DELIVERED, 1)}


def test_test_is_sent_at_once_and_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "http_404")
    delivery = send_test(make_receiver(is_on=False), make_user())
    outbox.deliver_some()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == (D.FAILED, 1)


def test_ping_is_sent_once_a_minute_while_rules_are_looked_at() -> None:
    hook = Webhook()
    with running(hook):
        target = Target("ping", "127.0.0.1")
        save_ping(target, Secret(f"http://{hook.address}/ping/secret"), make_user())
        assert not dead_man.ping(), "nothing has been evaluated"
        evaluate()
        assert dead_man.ping()
        assert not dead_man.ping(), "another host asked"
        with later(timedelta(minutes=1)):
            assert dead_man.ping()
        with later(timedelta(minutes=10)):
            assert not dead_man.ping(), "the evaluation stands still"
    assert [path for path, _body in hook.got] == ["/ping/secret", "/ping/secret"]
    watch = the_watch()
    assert watch.ping_error == ""
    assert watch.ping_worked_at is not None


def test_ping_goes_on_after_a_clock_was_far_ahead() -> None:
    hook = Webhook()
    with running(hook):
        target = Target("ping", "127.0.0.1")
        save_ping(target, Secret(f"http://{hook.address}/x"), make_user())
        with later(timedelta(days=400)):
            evaluate()
            assert dead_man.ping()
        assert not dead_man.ping(), "nothing has been evaluated since"
        evaluate()
        assert dead_man.ping()


def test_ping_that_fails_says_so() -> None:
    hook = Webhook()
    hook.status = 503
    with running(hook):
        target = Target("ping", "127.0.0.1")
        save_ping(target, Secret(f"http://{hook.address}/x"), make_user())
        Watch.objects.update(evaluated_at=clock.now())
        dead_man.ping()
    assert the_watch().ping_error == "http_503"


def test_no_secret_is_printed(caplog: pytest.LogCaptureFixture) -> None:
    receiver = make_receiver("json://user:SECRETPASSWORD@127.0.0.1:9/SECRETPATH")
    receiver.refresh_from_db()
    make_delivery(receiver=receiver)
    outbox.deliver_some()
    shown = f"{receiver.url} {receiver.url!r} {caplog.text} {vars(receiver)}"
    assert "SECRET" not in shown
