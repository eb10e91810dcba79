"""The work source for provider checks fulfils the contract of all work sources."""

from __future__ import annotations

from otp.engine.check_source import CheckJob, CheckSource
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.codes import WRONG, let_gap_pass, make_sent, try_code
from tests.support.work_source_contract import NeverRepeatedContract


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
