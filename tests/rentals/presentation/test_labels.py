"""The words of the states of an order."""

from __future__ import annotations

from django.utils import translation

from otp.presentation.labels import LABELS as CODE_LABELS
from otp.states import SessionState
from rentals.presentation.labels import LABELS
from rentals.states import OrderState


def test_order_ends_in_other_words_than_a_code() -> None:
    with translation.override("zh-hans"):
        # The page of the order says 已到期 in all its sentences.
        assert str(LABELS[OrderState.EXPIRED].word) == "已到期"
        assert str(CODE_LABELS[SessionState.EXPIRED].word) == "已过期"
