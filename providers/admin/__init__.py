from .accounts import AccountAdmin
from .approval_list import ApprovalAdmin
from .callbacks import CallbackAdmin
from .calls import ApiCallAdmin

__all__ = ["AccountAdmin", "ApiCallAdmin", "ApprovalAdmin", "CallbackAdmin"]
