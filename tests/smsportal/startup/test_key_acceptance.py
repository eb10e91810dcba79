"""`manage.py keys`: it lists check values, and accepts lost keys after saying what that costs."""

from __future__ import annotations

from io import StringIO
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.tasks import async_task
from pytest_django import Settings

from core import key_checks
from core.models import Act, KeyCheck
from providers.engine import heartbeats
from smsportal.startup import key_acceptance
from smsportal.startup.key_comparison import find_misfits, require_fitting_keys
from tests.factories.accounts import make_account
from tests.factories.messages import make_message

pytestmark = pytest.mark.django_db


def keys(*arguments: str) -> str:
    out = StringIO()
    call_command("keys", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def recorded() -> None:
    account = make_account("haorui", credentials={"api_id": "API1", "api_password": "canary"})
    make_message(account, kind="own_code")
    OrmQ.objects.all().delete()
    async_task("providers.tasks.beat")
    require_fitting_keys()


@pytest.fixture
def lost_keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SECRET_KEY = "another key"
    monkeypatch.setattr(Conf, "SECRET_KEY", "another key")
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    async_task("providers.tasks.keep_engine_running")


def test_list_shows_which_key_encrypts_and_no_whole_check_value(settings: Settings) -> None:
    settings.SECRETS_KEYS = [*settings.SECRETS_KEYS, Fernet.generate_key().decode()]
    text = keys()
    digest = key_checks.configured()["SECRETS_KEYS"][0]
    assert f"  {digest[:8]}  encrypts  known since" in text
    assert "decrypts  not known" in text
    assert digest not in text


def test_list_shows_keys_that_are_missing_here(lost_keys: None) -> None:
    text = keys()
    assert text.count("missing   known since") == 2
    assert "SECRET_KEY (from the environment) is not the key of this database" in text


def test_nothing_is_accepted_if_the_keys_are_known() -> None:
    assert "nothing to accept" in keys("--accept")
    assert not Act.objects.filter(what="keys.accept").exists()


def test_acceptance_counts_what_becomes_unreadable(lost_keys: None) -> None:
    text = keys("--accept", "--yes", "--reason", "The disk died.")
    readable = key_acceptance.count_cost().values["credentials"]
    assert f"{readable.total} of {readable.total} stored credentials are unreadable" in text
    assert "1 of 1 stored codes are unreadable" in text
    assert "1 waiting tasks cannot be verified and are dropped" in text
    assert "    1 providers.tasks.beat" in text


def test_acceptance_makes_the_keys_those_of_the_database(lost_keys: None) -> None:
    keys("--accept", "--yes")
    assert list(find_misfits()) == []
    assert KeyCheck.objects.count() == 2


def test_acceptance_drops_only_tasks_that_cannot_be_verified(lost_keys: None) -> None:
    keys("--accept", "--yes")
    assert [task.func() for task in OrmQ.objects.all()] == ["providers.tasks.keep_engine_running"]


def test_acceptance_is_recorded_as_an_act(lost_keys: None) -> None:
    keys("--accept", "--yes", "--reason", "The disk died.")
    act = Act.objects.get(what="keys.accept")
    assert (act.what, act.by, act.why) == ("keys.accept", None, "The disk died.")
    assert act.details["dropped_tasks"] == {"providers.tasks.beat": 1}
    assert act.details["unreadable"]["codes"] == 1
    assert "482913" not in str(act.details)


def test_running_portal_prevents_acceptance(lost_keys: None) -> None:
    heartbeats.beat(uuid4())
    with pytest.raises(CommandError, match="The portal is running"):
        keys("--accept", "--yes")
    assert OrmQ.objects.count() == 2


def test_question_that_is_not_answered_with_yes_changes_nothing(
    lost_keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        keys("--accept")
    assert OrmQ.objects.count() == 2
    assert not Act.objects.filter(what="keys.accept").exists()
