"""SECRET_KEY is replaced without signing anybody out and without losing a queued task."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.core.management import call_command
from django.test import Client
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task
from pytest_django import Settings

from core.models import KeyCheck
from smsportal.configuration.setting_kinds import Wrong
from smsportal.configuration.setting_rules import RULES, SECRET
from smsportal.startup.key_comparison import find_misfits, require_fitting_keys
from smsportal.task_queue.broker import is_ours, signed_anew
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db

NEW = "another secret key of enough signs"


class Keys:
    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self._settings, self._monkeypatch = settings, monkeypatch
        self.old = settings.SECRET_KEY

    def use(self, key: str, *fallbacks: str) -> None:
        self._settings.SECRET_KEY = key
        self._settings.SECRET_KEY_FALLBACKS = list(fallbacks)
        self._monkeypatch.setattr(Conf, "SECRET_KEY", key)


@pytest.fixture
def keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Keys:
    return Keys(settings, monkeypatch)


def dequeued() -> list[dict[str, object]]:
    broker = get_broker("smsportal")
    return [SignedPackage.loads(payload) for _, payload in broker.dequeue() or []]


def test_a_task_of_the_former_key_is_run(keys: Keys) -> None:
    async_task("providers.tasks.beat")
    keys.use(NEW, keys.old)
    assert [task["func"] for task in dequeued()] == ["providers.tasks.beat"]


def test_a_task_of_the_coming_key_is_run(keys: Keys) -> None:
    keys.use(NEW, keys.old)
    async_task("providers.tasks.beat")
    keys.use(keys.old, NEW)
    assert [task["func"] for task in dequeued()] == ["providers.tasks.beat"]


def test_a_task_of_a_stranger_is_left_as_it_is(keys: Keys) -> None:
    async_task("providers.tasks.beat")
    payload = OrmQ.objects.get().payload
    keys.use(NEW, "a third secret key of enough signs")
    assert signed_anew(payload) == payload
    assert not is_ours(payload)
    with pytest.raises(BadSignature):
        dequeued()
    forged = payload[:-1] + ("A" if payload[-1] != "A" else "B")
    keys.use(NEW, keys.old)
    assert signed_anew(forged) == forged


def test_nobody_is_signed_out(keys: Keys, client: Client) -> None:
    user: User = make_staff("manager")
    client.force_login(user)
    link = signing.dumps(1, salt="a link")
    keys.use(NEW, keys.old)
    assert client.get("/").status_code == 200
    assert signing.loads(link, salt="a link") == 1
    keys.use("a third secret key of enough signs")
    assert client.get("/").status_code == 302


class TestStart:
    def test_each_step_of_a_change_starts(self, keys: Keys) -> None:
        require_fitting_keys()
        for key, fallbacks in ((keys.old, [NEW]), (NEW, [keys.old]), (NEW, [])):
            keys.use(key, *fallbacks)
            require_fitting_keys()
        assert KeyCheck.objects.filter(name="SECRET_KEY").count() == 2

    def test_a_host_without_the_coming_key_does_not_start(self, keys: Keys) -> None:
        require_fitting_keys()
        old = keys.old
        keys.use(NEW, old)
        require_fitting_keys()
        keys.use(old)
        assert "is not the key of this database" in "".join(find_misfits())

    def test_a_key_is_not_taken_out_while_its_tasks_wait(self, keys: Keys) -> None:
        require_fitting_keys()
        keys.use(NEW, keys.old)
        require_fitting_keys()
        keys.use(keys.old, NEW)
        async_task("providers.tasks.beat")
        keys.use(NEW)
        assert "that signed 1 waiting tasks" in "".join(find_misfits())

    def test_the_change_cannot_begin_with_its_second_step(self, keys: Keys) -> None:
        require_fitting_keys()
        keys.use(NEW)
        assert "is not the key of this database" in "".join(find_misfits())

    def test_the_list_names_what_each_key_does(
        self, keys: Keys, capsys: pytest.CaptureFixture[str]
    ) -> None:
        require_fitting_keys()
        keys.use(NEW, keys.old)
        require_fitting_keys()
        call_command("keys")
        shown = capsys.readouterr().out
        assert "signs" in shown
        assert "verifies" in shown
        assert "missing" not in shown
        assert NEW not in shown


def test_a_short_key_is_named_by_its_place_only() -> None:
    assert RULES["SECRET_KEY_FALLBACKS"](f"{NEW},{NEW}") == [NEW, NEW]
    with pytest.raises(Wrong) as wrong:
        RULES["SECRET_KEY_FALLBACKS"](f"{NEW},short")
    assert "key 2" in str(wrong.value)
    assert "short" not in str(wrong.value)
    assert "SECRET_KEY_FALLBACKS" in SECRET
