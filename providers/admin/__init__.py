from auditlog.registry import auditlog

from ..models import Account
from .accounts import AccountAdmin
from .callbacks import CallbackAdmin
from .calls import ApiCallAdmin

__all__ = ["AccountAdmin", "ApiCallAdmin", "CallbackAdmin"]

# Secrets and callback tokens stand in tables of their own, which no log looks at.
auditlog.register(Account, exclude_fields=["public_id"])
