"""A secret is shown by `reveal()` only."""

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
    "render",
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
def test_printing_never_shows_the_secret(render: Callable[[Secret], str]) -> None:
    assert CANARY not in render(Secret(CANARY))


def test_reveal_returns_the_secret() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_secret_is_decrypted_only_when_revealed() -> None:
    def fail() -> str:
        raise AssertionError("decrypted too early")

    secret = Secret(fail)
    assert str(secret) == DOTS
    with pytest.raises(AssertionError):
        secret.reveal()


@pytest.mark.parametrize("pack", [pickle.dumps, copy.copy, copy.deepcopy])
def test_secret_cannot_be_pickled_or_copied(pack: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pack(Secret(CANARY))


def test_secrets_with_the_same_value_are_not_equal() -> None:
    assert Secret(CANARY) != Secret(CANARY)


def test_tracebacks_and_logs_show_dots(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    try:
        raise ValueError(secret)
    except ValueError:
        assert CANARY not in traceback.format_exc()
    logging.getLogger("portal.test").warning("login with %s and %r", secret, [secret])
    assert CANARY not in caplog.text
