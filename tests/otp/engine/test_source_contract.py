"""The work source for provider checks fulfils the contract of all work sources."""

from __future__ import annotations

from otp.engine.check_source import CheckJob, CheckSource
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.codes import WRONG, end_send_gap, make_sent_session, try_code
from tests.support.work_source_contract import NeverRepeatedContract


class TestChecks(NeverRepeatedContract):
    source_class = CheckSource
    job_class = CheckJob

    def make_due(self, count: int) -> Account:
        account = make_account("otpservice")
        for number in range(count):
            recipient = f"+861391234567{number}"
            try_code(make_sent_session(account, recipient=recipient), WRONG)
            end_send_gap(recipient)
        return account
