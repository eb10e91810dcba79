"""Checks of codes that a provider made keep the promise that every work source keeps."""

from __future__ import annotations

from otp.provider_checks import CheckJob, CheckSource
from providers.models import Account
from tests.builders import make_account
from tests.support.work_source_contract import NeverRepeatedContract

from .making import WRONG, let_gap_pass, make_sent, try_code


class TestChecks(NeverRepeatedContract):
    source_class = CheckSource
    job_class = CheckJob

    def make_due(self, count: int) -> Account:
        account = make_account("otpservice")
        for number in range(count):
            recipient = f"+861391234567{number}"
            try_code(make_sent(account, recipient=recipient), WRONG)
            let_gap_pass(recipient)
        return account
