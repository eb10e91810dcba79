"""Where the traffic with providers may hold a phone number."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.personal_data import Place, excuse, register

from .models import (
    Account,
    ApiCall,
    Approval,
    Callback,
    CallbackTest,
    CapExemption,
    DailyLimit,
    DailyUse,
    Enquiry,
    Hold,
)


def register_places() -> None:
    register(
        Place(
            Callback,
            pgettext_lazy("title", "Callbacks"),
            searched=("query", "body", "words", "outcomes"),
            mentioned=("query", "body", "words"),
            # One that was not processed yet would find nothing.
            under_way=Q(state=Callback.State.RECEIVED),
            excused={
                "digest": "a hash, so that a repetition is recognised and not stored again",
                "method": "a word of HTTP",
                "content_type": "a word of HTTP",
                "sender": "the provider's address",
                "says": "a word of the portal",
                "subject": "a kind and an id",
                "matched_by": "a word of the portal",
            },
            chunk=300,
        )
    )
    register(
        Place(
            ApiCall,
            _("API calls"),
            searched=("url", "request_body", "answer_body"),
            mentioned=("url", "request_body", "answer_body"),
            excused={
                "operation": "a word of the portal",
                "subject": "a kind and an id",
                "method": "a word of HTTP",
                "reason": "a word of the portal",
                "request_id": "letters at random",
            },
            chunk=300,
        )
    )
    register(
        Place(
            Approval,
            pgettext_lazy("title", "Approvals"),
            searched=("title", "why", "comment"),
            excused={
                "subject": "a kind and an id",
                "digest": "a hash of what was shown",
                "passed": "words of the portal and amounts",
                "involved": "ids of staff",
            },
        )
    )
    register(
        Place(
            CapExemption,
            pgettext_lazy("title", "Exemptions"),
            number="key",
            searched=("because",),
            is_deleted=True,
        )
    )
    register(Place(DailyLimit, pgettext_lazy("title", "Caps"), number="key", is_deleted=True))
    register(
        Place(
            DailyUse,
            _("Daily limits in use"),
            number="key",
            is_deleted=True,
            excused=dict.fromkeys(("what", "scope", "spent"), "words and counts of the portal"),
        )
    )
    register(
        Place(
            Account,
            pgettext_lazy("title", "Accounts"),
            searched=("pause_words",),
            excused=dict.fromkeys(
                (
                    "name",
                    "provider",
                    "base_url",
                    "options",
                    "allowed_countries",
                    "pausing_phrases",
                    "callback_networks",
                    "pause_reason",
                ),
                "a setting of the account",
            ),
        )
    )
    register(
        Place(
            Enquiry,
            _("Account checks"),
            searched=("words",),
            excused={"reason": "a word of the portal"},
        )
    )
    register(Place(CallbackTest, _("Tests of callback addresses"), searched=("detail",)))
    register(
        Place(
            Hold,
            pgettext_lazy("title", "Holds"),
            searched=("reason",),
            excused={"cause": "a word of the portal", "details": "counts and times"},
        )
    )
    excuse("Secrets of accounts.", "providers.credential", "providers.callbacktoken")
    excuse(
        "Words of the portal about its processes and hosts.",
        "providers.lease",
        "providers.heartbeat",
        "providers.tasklease",
        "providers.fence",
        "providers.host",
        "providers.accountpause",
        "providers.balancereading",
    )
