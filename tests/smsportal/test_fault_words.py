"""The five most frequent faults, as each role reads them in each language.

Every fault says what happened, what became of the money, and offers the next step as a button that
this reader may press: whoever can do nothing about it leaves a note for a colleague.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Final

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from messaging.models import Message
from providers import accounts
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.orders import make_order, make_rented
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
ROLES: Final = ("viewer", "auditor", "operator", "manager")
LANGUAGES: Final = ("en", "zh-hans")
NOTE: Final = ("Leave a note for a colleague", "给同事留备注")


@dataclass(frozen=True)
class Fault:
    """`steps`: the buttons of each role in both languages, unless the role leaves a note."""

    make: Callable[[], Model]
    title: tuple[str, str]
    money: tuple[str, str]
    steps: dict[str, tuple[tuple[str, str], ...]]


def _failed(state: str, reason: str, **fields: object) -> Message:
    message = make_message(make_account("haorui", name="Main"))
    now = timezone.now()
    values = {"state": state, "reason": reason, "handed_over_at": now, "answered_at": now}
    Message.objects.filter(pk=message.pk).update(**{**values, **fields})
    return message


def account_refused() -> Model:
    make_account("haorui", name="Spare")
    message = _failed("refused", "no_balance", ended_at=timezone.now())
    accounts.pause(Account.objects.get(name="Main"), "no_balance")
    return message


def outcome_unknown() -> Model:
    return _failed("unknown", "timed_out")


def number_rejected() -> Model:
    return _failed("refused", "bad_number", ended_at=timezone.now())


def report_missing() -> Model:
    return _failed("submitted", "", answered_at=timezone.now() - timedelta(days=5))


def no_number() -> Model:
    now = timezone.now()
    return make_order(state="refused", reason="no_number_available", answered_at=now, ended_at=now)


def no_sms() -> Model:
    return make_rented(state="expired", reason="", ended_at=timezone.now())


REFUSED: Final = (
    "Refused by the provider. Refused requests are not normally charged.",
    "服务商已拒绝，被拒绝的请求通常不收费。",
)
OPEN_ACCOUNT: Final = ("Open the account", "打开账户")
OTHER_ACCOUNT: Final = ("Send via another account", "改用其他账户发送")
CORRECT: Final = ("Correct the number", "更正号码")
SETTLE: Final = ("Mark as sent…", "标记为已发送…")
CALLBACKS: Final = ("Look at the callbacks of the account", "查看该账户的回调")
AGAIN: Final = ("Send again…", "再次发送…")
CHOOSE: Final = ("Choose another app or country", "更换应用或国家/地区")
RENT: Final = ("Rent another number", "另租一个号码")
REFUND: Final = ("Check the refund", "核对退款")

FAULTS: Final = {
    "account refused for its balance": Fault(
        account_refused,
        ("Insufficient balance.", "余额不足。"),
        REFUSED,
        {"operator": (OTHER_ACCOUNT,), "manager": (OPEN_ACCOUNT, OTHER_ACCOUNT)},
    ),
    "outcome unknown": Fault(
        outcome_unknown,
        ("No answer", "应答"),
        ("This may have been charged: it is not known", "可能已产生费用：无法确认"),
        {"manager": (SETTLE,)},
    ),
    "number rejected": Fault(
        number_rejected,
        ("The provider reports that the number does not exist.", "服务商表示号码不存在。"),
        REFUSED,
        {"operator": (CORRECT,), "manager": (CORRECT,)},
    ),
    "report missing": Fault(
        report_missing,
        ("No report after", "小时"),
        (
            "Accepted by the provider, which charges under its own rules.",
            "服务商已受理，按其规则计费。",
        ),
        {"auditor": (CALLBACKS,), "operator": (AGAIN,), "manager": (CALLBACKS, AGAIN)},
    ),
    "no number available": Fault(
        no_number,
        ("No number available for", "暂无可用号码"),
        REFUSED,
        {"operator": (CHOOSE,), "manager": (CHOOSE,)},
    ),
    "no SMS in time": Fault(
        no_sms,
        ("without an SMS", "未收到短信"),
        ("", ""),
        {
            "viewer": (REFUND,),
            "auditor": (REFUND,),
            "operator": (RENT, REFUND),
            "manager": (RENT, REFUND),
        },
    ),
}


def live_part(browser: Client, obj: Model, language: str) -> str:
    model = obj._meta
    address = f"/{model.app_label}/{model.model_name}/{obj.public_id}/change/"  # type: ignore[attr-defined]
    answer = browser.get(address, headers={"accept-language": language})
    page = unescape(answer.content.decode())
    return page[page.index('<div class="live-part"') : page.index('class="timeline')]


def buttons_of(part: str) -> list[str]:
    found = re.findall(r'<(a|button)\b[^>]*class="button[^>]*>(.*?)</\1>', part, re.S)
    icons = r'<span class="material-symbols-outlined".*?</span>'
    return [" ".join(re.sub(r"<[^>]+>", "", re.sub(icons, "", one)).split()) for _, one in found]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FAULTS)
def test_fault_says_what_happened_and_offers_the_next_step(name: str, language: str) -> None:
    fault, which = FAULTS[name], LANGUAGES.index(language)
    obj = fault.make()
    for role in ROLES:
        browser = Client()
        browser.force_login(make_staff(role))
        part = live_part(browser, obj, language)
        assert fault.title[which] in part, role
        assert fault.money[which] in part, role
        steps = fault.steps.get(role, (NOTE,))
        offered = buttons_of(part)
        assert {step[which] for step in steps} <= set(offered), (role, offered)
        if role in fault.steps:
            assert NOTE[which] not in offered, role
        else:
            assert offered == [NOTE[which]], role
        box = re.search(r'class="choices next-steps">(.*?)</div>', part, re.S)
        for url in re.findall(r'href="(/[^"]+)"', box[1] if box else ""):
            assert browser.get(url).status_code == 200, (role, url)


def test_number_is_corrected_without_typing_the_text_again(client: Client) -> None:
    operator = make_staff("operator")
    message = make_message(make_account(), by=operator, text="Your table is ready.")
    client.force_login(operator)
    form = client.get("/messaging/message/send/", {"like": message.public_id}).context["form"]
    assert form.initial["text"] == "Your table is ready."
    client.force_login(make_staff("operator"))
    form = client.get("/messaging/message/send/", {"like": message.public_id}).context["form"]
    assert "text" not in form.initial, "the text of a colleague stays masked"
    assert form.initial["recipient"] == ""
