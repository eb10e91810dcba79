"""What may be used once is used once, also by two browsers at the same moment."""

from __future__ import annotations

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.models import Act
from smsportal.sign_in.password_links import tokens
from tests.support.second_factor import add_app, code_now, enter_code, enter_password
from tests.support.signed_in import member
from tests.support.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.each_database]
BROWSERS = 4


@pytest.mark.parametrize("kind", ["recovery code", "code of the app"])
def test_one_of_four_browsers_gets_in_with_a_code(kind: str) -> None:
    person = member("viewer")
    add_app(person)
    recovery = RecoveryCodes.activate(person).get_unused_codes()[0]
    code = recovery if kind == "recovery code" else code_now()
    browsers = [Client() for _ in range(BROWSERS)]
    for browser in browsers:
        assert enter_password(browser, person) == reverse("mfa_authenticate")
    waiting = iter(browsers)
    led_to = at_once(lambda: enter_code(next(waiting), code), BROWSERS)
    assert sorted(led_to) == ["", "", "", "/"]
    assert Act.objects.filter(what="sign_in", by=person).count() == 1


def test_one_of_four_browsers_sets_a_password_with_a_link() -> None:
    person = member("viewer")
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    link = reverse("set_password", args=[uid, tokens.make_token(person)])
    browsers = [Client() for _ in range(BROWSERS)]
    (form,) = {browser.get(link).headers["Location"] for browser in browsers}
    waiting = iter(enumerate(browsers))

    def choose() -> int:
        index, browser = next(waiting)
        password = f"long-and-odd-{index}"
        fields = {"new_password1": password, "new_password2": password}
        answer = browser.post(form, fields)
        if answer.status_code == 200:
            assert "has been used or has expired" in answer.content.decode()
        return answer.status_code

    assert sorted(at_once(choose, BROWSERS)) == [200, 200, 200, 302]
    assert Act.objects.filter(what="staff.password_by_link").count() == 1
