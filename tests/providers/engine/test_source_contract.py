"""Account checks keep the promise of every work source."""

from __future__ import annotations

from providers.engine.account_check_source import EnquiryJob, EnquirySource
from providers.models import Account, Enquiry
from tests.factories.accounts import make_account
from tests.support.work_source_contract import RepeatableContract


class TestEnquiries(RepeatableContract):
    source_class = EnquirySource
    job_class = EnquiryJob

    def make_due(self, count: int) -> Account:
        account = make_account("gosms")
        for _ in range(count):
            Enquiry.objects.create(account=account, kind=Enquiry.Kind.BALANCE)
        return account
