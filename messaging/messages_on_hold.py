"""Single texts as what a hold keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import ClassVar, Final
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.people import person_name
from core.phones.parse import mask
from core.punctuation import listed, with_detail
from core.stored_texts import StoredText, declare
from providers.hold.holdable import HeldGroup, HeldRow, Holdable, held_accounts
from providers.models import Account, Hold

from . import held_messages
from .models import DoNotSend, Message
from .on_hold import ON_HOLD
from .queue_message import WAITED_TOO_LONG
from .states import REPORTS, MessageState

S = MessageState

MAX_SENDERS: Final = 8


class MessagesOnHold(Holdable):
    """Texts without a batch. Codes go with their sessions (`otp.codes_on_hold`)."""

    name: ClassVar[str] = "messages"
    title: ClassVar[StoredText] = declare("held.messages", gettext_lazy("Single messages"))
    rows_of_kind: ClassVar[Q] = Q(batch=None, kind=Message.Kind.TEXT)
    icon: ClassVar[str] = "sms"

    def hold(self, hold: Hold) -> int:
        return held_messages.hold_rows(self._all().filter(account__in=held_accounts()), hold)

    def groups(self, hold: Hold) -> list[HeldGroup]:
        pks = self._kept(hold).order_by().values_list("account", flat=True).distinct()
        accounts = Account.objects.filter(pk__in=list(pks)).order_by("name", "pk")
        return [self._group(hold, account) for account in accounts]

    def rows(self, hold: Hold, group: str, after: int, limit: int) -> list[HeldRow]:
        found = self._in_group(hold, group).filter(pk__gt=after).order_by("pk")
        rows = found.select_related("account", "created_by")[:limit]
        return [self._row(message) for message in rows]

    def count_undecided(self, hold: Hold) -> int:
        return self._undecided(hold).count()

    def settle_known(self, hold: Hold) -> int:
        """Reports settle messages as they come."""
        return 0

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        return held_messages.release(self._sendable(self._chosen(hold, group, rows)))

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        return held_messages.give_up(self._chosen(hold, group, rows), by)

    # --- which rows ----------------------------------------------------------

    def _all(self) -> QuerySet[Message]:
        return Message.objects.filter(self.rows_of_kind)

    def _kept(self, hold: Hold) -> QuerySet[Message]:
        return self._all().filter(hold=hold).exclude(state=S.SENDING)

    def _undecided(self, hold: Hold) -> QuerySet[Message]:
        return held_messages.undecided(hold).filter(self.rows_of_kind)

    def _in_group(self, hold: Hold, group: str) -> QuerySet[Message]:
        name, _colon, account = group.partition(":")
        if name != self.name or not account.isdecimal():
            return Message.objects.none()
        return self._undecided(hold).filter(account=int(account))

    def _chosen(self, hold: Hold, group: str, rows: Collection[int] | None) -> QuerySet[Message]:
        found = self._in_group(hold, group)
        return found if rows is None else found.filter(pk__in=rows)

    def _sendable(self, messages: QuerySet[Message]) -> QuerySet[Message]:
        return messages

    # --- what the page says --------------------------------------------------

    def _group(self, hold: Hold, account: Account) -> HeldGroup:
        kept = self._kept(hold).filter(account=account)
        waiting = self._undecided(hold).filter(account=account)
        times = waiting.aggregate(
            count=Count("pk"), oldest=Min("queued_at"), newest=Max("queued_at")
        )
        senders = kept.order_by().values("created_by").distinct().count()
        people = ngettext("%(count)s person", "%(count)s people", senders) % {"count": senders}
        return HeldGroup(
            key=f"{self.name}:{account.pk}",
            icon=self.icon,
            stored_title=self.title.store(),
            account=with_detail(account.name, people),
            undecided=times["count"],
            oldest=times["oldest"],
            newest=times["newest"],
            facts=list(self._facts(kept, waiting, account)),
            settled=count_settled(kept),
            may_send=times["count"] == 0 or self._sendable(waiting).exists(),
            url=self._url(account),
            has_rows=True,
        )

    def _url(self, account: Account) -> str:
        query = urlencode({"shown": ON_HOLD, "account__id__exact": account.pk})
        return f"{reverse('admin:messaging_message_changelist')}?{query}"

    def _row(self, message: Message) -> HeldRow:
        facts = [_("It already needed confirmation.")]
        return HeldRow(
            pk=message.pk,
            title=mask(message.recipient),
            line=with_detail(message.account.name, person_name(message.created_by)),
            at=message.queued_at,
            facts=facts if message.reason == WAITED_TOO_LONG else (),
            url=reverse("admin:messaging_message_change", args=[message.public_id]),
        )

    def _facts(
        self, kept: QuerySet[Message], waiting: QuerySet[Message], account: Account
    ) -> Iterator[str | Promise]:
        yield from settled_facts(kept)
        if not waiting.exists():
            return
        yield _("No answer and no report on record.")
        yield senders_text(waiting)
        earlier = waiting.filter(reason=WAITED_TOO_LONG).count()
        if earlier:
            text = _("Already needed confirmation: %(count)s.")
            yield text % {"count": f"{earlier:,}"}
        yield from _unsendable_facts(waiting, account)


def count_settled(kept: QuerySet[Message]) -> int:
    """Messages that were found to have been sent, although not from here."""
    return kept.filter(state__in=(S.SUBMITTED, *REPORTS), handed_over_at=None).count()


def settled_facts(kept: QuerySet[Message]) -> Iterator[str]:
    count = count_settled(kept)
    if count:
        text = ngettext(
            "%(count)s was already sent: a report arrived.",
            "%(count)s were already sent: reports arrived.",
            count,
        )
        yield text % {"count": f"{count:,}"}


def senders_text(waiting: QuerySet[Message]) -> str:
    """Who sent them and how many each, so that they can be asked."""
    counted = waiting.order_by().values_list("created_by").annotate(n=Count("pk"))
    most = sorted(counted, key=lambda pair: (-pair[1], pair[0] or 0))[:MAX_SENDERS]
    people = User.objects.in_bulk([pk for pk, _n in most if pk])
    names = [f"{person_name(people.get(pk or 0))} {n:,}" for pk, n in most]
    return _("Ask the senders: %(names)s.") % {"names": listed(names)}


def _unsendable_facts(waiting: QuerySet[Message], account: Account) -> Iterator[str]:
    entries = DoNotSend.objects.filter(number=OuterRef("recipient"), removed_at=None)
    on_list = waiting.filter(Exists(entries)).count()
    if on_list:
        text = _("On the do-not-send list, not sent even if released: %(count)s.")
        yield text % {"count": f"{on_list:,}"}
    foreign = waiting.exclude(country__in=account.allowed_countries).count()
    if foreign:
        text = _("The account is no longer allowed to send to this country/region: %(count)s.")
        yield text % {"count": f"{foreign:,}"}
