"""The phones that the sandbox's messages reached, as a page shows them: read from the book.

A message reaches its phone if its provider accepted it. Refused calls stay in the book alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from sandbox.book import CALL, PUSH, SMS, Book, Entry
from sandbox.callbacks import Pusher
from sandbox.provider import Provider


@dataclass
class Bubble:
    """One text on a phone.

    kind         message (a text or code that was sent), order (the number was rented), sms (an SMS
                 that arrived on the rented number)
    text         what the phone shows; of a code only the code
    reports      the delivery reports that were pushed, oldest first: word, at, whether the receiver
                 took it
    due_in       seconds until the next report, or None if none is scheduled
    takes_sms    whether an SMS may still arrive on the rented number
    """

    kind: str
    provider: str
    operation: str
    at: float
    text: str
    message_id: str
    entry: int
    fault: str = ""
    reports: list[dict[str, object]] = field(default_factory=list)
    due_in: float | None = None
    takes_sms: bool = False


@dataclass
class Phone:
    """A number and its bubbles, newest first."""

    number: str
    bubbles: list[Bubble] = field(default_factory=list)


class Phones:
    """Every phone of a book, the one with the newest text first."""

    def __init__(self, book: Book, providers: Mapping[str, Provider], pusher: Pusher) -> None:
        self._providers = providers
        self._pending = pusher.pending()
        self._reports: dict[tuple[str, str], list[dict[str, object]]] = {}
        self._with_sms: set[tuple[str, str]] = set()
        self._phones: dict[str, Phone] = {}
        self._by_entry: dict[int, Phone] = {}
        for entry in reversed(book.entries(kind=None)):
            self._read(entry)

    def as_json(self, entry: int = 0, limit: int = 50, bubbles: int = 50) -> dict[str, object]:
        """The newest phones, and the bubbles of the one that shows this entry, else the newest."""
        every = list(self._phones.values())
        chosen = self._by_entry.get(entry) or next(iter(every), None)
        return {
            "total": len(every),
            "phones": [_summary(phone) for phone in every[:limit]],
            "chosen": None
            if chosen is None
            else {
                **_summary(chosen),
                "bubbles": [asdict(bubble) for bubble in chosen.bubbles[:bubbles]],
            },
        }

    def _read(self, entry: Entry) -> None:
        # Newest first, so the reports of a message come before it.
        provider = self._providers.get(entry.provider)
        key = (entry.provider, entry.message_id)
        if provider is None:
            return
        if entry.kind == PUSH and entry.operation == provider.report_operation:
            word = str(entry.fields.get(provider.report_field, ""))
            report: dict[str, object] = {"word": word, "at": entry.at, "taken": entry.accepted}
            self._reports.setdefault(key, []).insert(0, report)
        elif entry.kind == SMS:
            self._with_sms.add(key)
            self._add(provider, entry, "sms", ("phone", "content"))
        elif entry.kind == CALL and entry.accepted and entry.operation in provider.phone_fields:
            fields = provider.phone_fields[entry.operation]
            self._add(provider, entry, "message" if fields[1] else "order", fields)

    def _add(self, provider: Provider, entry: Entry, kind: str, fields: tuple[str, str]) -> None:
        number = provider.phone_number(str(entry.fields.get(fields[0], "")))
        key = (entry.provider, entry.message_id)
        phone = self._phones.setdefault(number, Phone(number))
        self._by_entry[entry.number] = phone
        phone.bubbles.append(
            Bubble(
                kind=kind,
                provider=entry.provider,
                operation=entry.operation,
                at=entry.at,
                text=str(entry.fields.get(fields[1]) or ""),
                message_id=entry.message_id,
                entry=entry.number,
                fault=entry.fault,
                reports=self._reports.get(key, []),
                due_in=self._pending.get((*key, provider.report_operation)),
                takes_sms=kind == "order" and key not in self._with_sms,
            )
        )


def _summary(phone: Phone) -> dict[str, object]:
    newest = phone.bubbles[0]
    return {
        "number": phone.number,
        "entry": newest.entry,
        "at": newest.at,
        "text": newest.text,
        "kind": newest.kind,
        "count": len(phone.bubbles),
    }
