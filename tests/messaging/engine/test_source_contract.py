"""Single messages and messages of batches keep the contract of every work source."""

from __future__ import annotations

from messaging.batches.engine_source import BatchSource
from messaging.engine.source import MessageJob, MessageSource
from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.messages import make_message
from tests.support.work_source_contract import NeverRepeatedContract


class TestMessages(NeverRepeatedContract):
    source_class = MessageSource
    job_class = MessageJob

    def make_due(self, count: int) -> Account:
        account = make_account()
        for _ in range(count):
            make_message(account)
        return account


class TestBatches(NeverRepeatedContract):
    source_class = BatchSource
    job_class = MessageJob

    def make_due(self, count: int) -> Account:
        account = make_account()
        start_batch(make_batch(numbers(count), account))
        return account

    def sweep(self) -> None:
        """Sweep with both sources: the one of single messages sweeps the claims of all messages."""
        MessageSource().sweep()
        BatchSource().sweep()
