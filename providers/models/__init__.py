"""Provider accounts and the records of the traffic with them."""

from .account import Account, AccountPause, CallbackToken, Credential
from .approval import Approval, ApprovalLimit
from .callback import Callback, CallbackTest
from .claimed import ClaimedRow, Settled
from .engine import Heartbeat, Lease, TaskLease, heartbeat, newest_engine_beat
from .hold import Fence, Hold
from .host import Host
from .ids import public_id
from .limits import Allowance, CapExemption, DailyLimit, DailyUse
from .traffic import ApiCall, BalanceReading, Enquiry

__all__ = [
    "Account",
    "AccountPause",
    "Allowance",
    "ApiCall",
    "Approval",
    "ApprovalLimit",
    "BalanceReading",
    "Callback",
    "CallbackTest",
    "CallbackToken",
    "CapExemption",
    "ClaimedRow",
    "Credential",
    "DailyLimit",
    "DailyUse",
    "Enquiry",
    "Fence",
    "Heartbeat",
    "Hold",
    "Host",
    "Lease",
    "Settled",
    "TaskLease",
    "heartbeat",
    "newest_engine_beat",
    "public_id",
]
