"""Record, and tell whoever sets limits, that limits no longer apply or apply again.

Limits apply while two people can approve. So a change of one person's account or role may lift the
limits of all.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.acts import record_act
from core.models import Act
from core.notices import notify
from core.stored_texts import declare

from ..models import ApprovalLimit
from .rules import are_on, holders_of

SETS_LIMITS: Final = "providers.change_approvallimit"
OFF: Final = "approval_limit.off"
ON: Final = "approval_limit.on"
NO_LONGER: Final = declare(
    "notice.approval_limits_off",
    _(
        "Approval limits no longer apply to anyone: fewer than two people can approve. Give a"
        " second person the permission “Approve batches and orders of others”."
    ),
)
AGAIN: Final = declare(
    "notice.approval_limits_on", _("Approval limits apply again: two people can approve.")
)


def look(by: User | None = None) -> bool:
    """Compare with what was recorded last. Returns whether that changed.

    Part of the transaction of a change by `by`. The queue calls it every minute for all others.
    """
    if not ApprovalLimit.objects.exists() or are_on() == _were_on():
        return False
    with transaction.atomic():
        # The lock lets two changes at once be told one after the other.
        list(ApprovalLimit.objects.select_for_update().order_by("pk").values_list("pk"))
        apply = are_on()
        if apply == _were_on():
            return False
        act = record_act(ON if apply else OFF, by=by)
        text = (AGAIN if apply else NO_LONGER).store()
        for person in holders_of(SETS_LIMITS):
            event = f"approval_limits:{act.pk}"
            notify(person.pk, event, text, reverse("admin:approval_limits"))
    return True


def _were_on() -> bool:
    last = Act.objects.filter(what__in=(OFF, ON)).order_by("-pk").values_list("what", flat=True)
    return last.first() != OFF
