from .accounts import AccountAdmin
from .callbacks import CallbackAdmin
from .calls import ApiCallAdmin

__all__ = ["AccountAdmin", "ApiCallAdmin", "CallbackAdmin"]
