"""What staff read about a cap that is reached."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation

from providers.caps.windows import Window
from providers.daily_limits import Cap, LimitReached
from providers.limit_texts import limit_text, limit_values, setter_of, stored_limit_text
from providers.models import DailyLimit
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db
FREE = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def reached(cap: Cap, used: int, wanted: int = 1) -> LimitReached:
    return LimitReached(cap, used, FREE, wanted)


@pytest.mark.parametrize(
    ("cap", "english", "chinese"),
    [
        (
            Cap("codes", "number", "+8613912345678", 5, Window.HOUR),
            "The cap on codes for this number is reached (5 of 5 in one hour). Ask a manager, or",
            "此号码的验证码上限已用完（一小时内 5/5）",
        ),
        (
            Cap("messages", "prefix", "+86139", 5),
            "messages for numbers that begin with +86139 is reached (5 of 5 in 24 hours)",
            "以 +86139 开头的号码的短信上限已用完（24 小时内 5/5）",
        ),
        (
            Cap("all", "account", "1", 5, Window.MINUTE),
            "everything together for this account is reached (5 of 5 in one minute)",
            "此账户的全部类型合计上限已用完（一分钟内 5/5）",
        ),
    ],
)
def test_text_names_the_cap_its_size_and_its_use(cap: Cap, english: str, chinese: str) -> None:
    text = limit_text(reached(cap, 5))
    assert english in text
    assert "12345678" not in text
    with translation.override("zh-hans"):
        assert chinese in limit_text(reached(cap, 5))


def test_text_of_a_blocked_country_names_no_time() -> None:
    text = limit_text(reached(Cap("messages", "country", "CN", 0), 0))
    assert text.startswith("Not sent: the cap on messages for China is 0. Ask a manager.")


def test_text_says_if_there_is_room_but_not_for_all() -> None:
    text = limit_text(reached(Cap("messages", "user", "1", 100), 90, wanted=20))
    assert "for you does not leave enough for 20 (90 of 100 in 24 hours)" in text


def test_text_names_no_time_if_the_cap_never_leaves_enough() -> None:
    text = limit_text(reached(Cap("messages", "user", "1", 100), 0, wanted=120))
    assert "never leaves enough for 120 (0 of 100 in 24 hours). Choose fewer" in text
    assert "again" not in text


def test_text_says_who_set_the_cap() -> None:
    user = make_user(first_name="Wei", last_name="Li")
    row = DailyLimit.objects.create(scope="country", key="CN", what="codes", most=1, set_by=user)
    cap = Cap("codes", "country", "CN", 1, rule=row.pk)
    assert limit_text(reached(cap, 1)).endswith("It was set by Wei Li.")
    DailyLimit.objects.update(set_by=None)
    assert limit_text(reached(cap, 1)).endswith("A manager set it.")
    default = Cap("codes", "number", "+8613912345678", 5)
    assert limit_text(reached(default, 5)).endswith("It is the default of the portal.")


def test_text_of_a_batch_row_is_kept_without_the_number() -> None:
    limit = reached(Cap("messages", "number", "+8613912345678", 5), 5)
    values = limit_values(limit, setter_of(limit.cap))
    assert "12345678" not in str(values)
    assert stored_limit_text(values) == limit_text(limit)
