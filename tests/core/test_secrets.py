"""A secret shows itself to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest

from core.secrets import DOTS, Secret

CANARY = "canary-7Hq2"


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        "{}".format,
        "{:>40}".format,
        "%s".__mod__,
        "%r".__mod__,
        lambda secret: f"{secret!r:>50}",
        lambda secret: str([secret]),
        lambda secret: str({"key": secret}),
        lambda secret: json.dumps(secret, default=str),
    ],
)
def test_no_way_of_printing_shows_it(shown: Callable[[Secret], str]) -> None:
    assert CANARY not in shown(Secret(CANARY))


def test_only_reveal_gives_it_away() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_it_is_decrypted_when_revealed_and_not_before() -> None:
    def fail() -> str:
        raise AssertionError("decrypted too early")

    secret = Secret(fail)
    assert str(secret) == DOTS
    with pytest.raises(AssertionError):
        secret.reveal()


@pytest.mark.parametrize("pack", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_goes_into_no_queue_and_no_cache(pack: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pack(Secret(CANARY))


def test_two_secrets_of_the_same_value_do_not_tell_that_they_are_equal() -> None:
    assert Secret(CANARY) != Secret(CANARY)


def test_a_traceback_and_a_log_line_hold_dots(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    try:
        raise ValueError(secret)
    except ValueError:
        assert CANARY not in traceback.format_exc()
    logging.getLogger("portal.test").warning("login with %s and %r", secret, [secret])
    assert CANARY not in caplog.text
