import pytest
from datetime import timedelta
from django.urls import reverse
from django.utils import timezone
from otp.models import Session, SendGap
from messaging.models import Message
from tests.builders import make_account, make_staff
from tests.otp.making import make_sent, make_session, try_code, WRONG
import random

@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_shots(make_visitor, sandbox, language):
    user = make_staff("manager")
    hao = make_account("haosms", name="HaoSMS main"); rui = make_account("haorui", name="HAORUI main"); otp = make_account("otpservice", name="OTP Service main")
    now = timezone.now()
    for i in range(14):
        acc = [hao, rui, otp][i % 3]
        s = make_sent(acc, by=user, recipient=f"1391234{5600+i}", typed="482913")
        at = now - timedelta(minutes=20 + i)
        Session.objects.filter(pk=s.pk).update(created_at=at, sent_at=at)
        if i % 4 == 0:
            Session.objects.filter(pk=s.pk).update(state="verified", verified_at=at+timedelta(seconds=31), ended_at=at, delivered_at=at if acc is not hao else None)
        elif i % 4 == 1:
            Session.objects.filter(pk=s.pk).update(state="failed", reason="tries_used", ended_at=at)
        elif i % 4 == 2:
            Session.objects.filter(pk=s.pk).update(expires_at=at)
    live = make_sent(rui, by=user, recipient="13812345678"); try_code(live, WRONG, by=user)
    unknown = make_sent(otp, by=user, recipient="13812345679")
    Session.objects.filter(pk=unknown.pk).update(state="check_unknown", provider_says_verified_at=now)
    ver = Session.objects.filter(state="verified").first()
    fail = make_sent(hao, by=user, recipient="13812345670", state="failed", reason="other_refusal", ended_at=now)
    Message.objects.filter(sent_code__session=fail).update(state="refused", reason="other_refusal", words="余额不足 channel closed")
    pages = {
      "send-hao": reverse("admin:otp_session_send")+f"?account={hao.public_id}",
      "send-rui": reverse("admin:otp_session_send")+f"?account={rui.public_id}",
      "live": reverse("admin:otp_session_change", args=[live.public_id]),
      "unknown": reverse("admin:otp_session_change", args=[unknown.public_id]),
      "verified": reverse("admin:otp_session_change", args=[ver.public_id]),
      "failed": reverse("admin:otp_session_change", args=[fail.public_id]),
      "list": reverse("admin:otp_session_changelist"),
      "figures": reverse("admin:otp_session_figures"),
    }
    for width in (1280, 390):
        v = make_visitor(user, language=language, width=width)
        for theme in ("light", "dark"):
            if theme == "dark" and (width == 390) == (language == "en"): continue
            v.page.goto("/")
            v.page.evaluate(f"localStorage.setItem('adminTheme', '\"{theme}\"'); localStorage.setItem('theme', '\"{theme}\"'); localStorage.setItem('_x_adminTheme', '\"{theme}\"')")
            for name, url in pages.items():
                v.page.goto(url)
                if theme == "dark": v.page.evaluate("document.documentElement.classList.add('dark')")
                if name == "send-rui":
                    v.page.locator("#id_recipient").fill("138 1234 5678"); v.page.wait_for_timeout(900)
                v.page.screenshot(path=f"/tmp/shots/{name}-{language}-{width}-{theme}.png", full_page=True)
