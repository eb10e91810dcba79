"""Where messages, batches and lists hold a phone number."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q
from django.db.models.functions import Length, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.personal_data import Chunk, Erased, Place, register
from core.phones.traces import Traces

from .batches.states import ENDED
from .models import Batch, DoNotSend, FilePart, Message, Report, StagedRow, Template
from .states import WAITING, MessageState

REPORTS_COME_FOR: Final = timedelta(hours=72)
"""A report may still come meanwhile, with the number in it."""
PIECE: Final = 1024 * 1024
OVERLAP: Final = 64
"""Characters of the piece before. A number in groups is shorter."""
MOST_UNPACKED: Final = 400 * PIECE
_UNTOLD: Final = (MessageState.SUBMITTED, MessageState.IN_TRANSIT)
_UNDER_WAY: Final = Q(state__in=[*WAITING, MessageState.UNKNOWN]) | Q(
    state__in=_UNTOLD, created_at__gt=Now() - REPORTS_COME_FOR
)
_NOT_ENDED: Final = ~Q(batch__state__in=ENDED)


class Files(Place):
    """Recipients' files, looked at one batch at a time.

    Files of batches that ended are of no use any more, so all of them are deleted. The file of
    another batch is searched: it is left, and its batch is to be started or cancelled first.
    """

    @property
    def columns(self) -> list[str]:
        return ["data"]

    def look(self, traces: Traces, after: Any, *, on_purpose: bool) -> Chunk:
        batches = Batch.objects.filter(pk__in=FilePart.objects.values("batch"))
        batch = batches.filter(pk__gt=after or 0).order_by("pk").first()
        if batch is None:
            return Chunk((), None)
        is_hit = batch.state in ENDED or has_number(_content(batch), traces)
        return Chunk([batch.pk] if is_hit else (), batch.pk)

    def read_texts(self, after: Any) -> tuple[list[str], Any]:
        batches = Batch.objects.filter(pk__in=FilePart.objects.values("batch"))
        batch = batches.filter(pk__gt=after or 0).order_by("pk").first()
        return ([], None) if batch is None else (list(_texts(_content(batch))), batch.pk)

    def erase(
        self, hits: Sequence[Any], traces: Traces, stand_in: str, *, on_purpose: bool
    ) -> Erased:
        ended = Batch.objects.filter(pk__in=list(hits), state__in=ENDED)
        deleted = FilePart.objects.filter(batch__in=ended).delete()[0]
        return Erased(deleted, len(hits) - len(ended))


def _content(batch: Batch) -> bytes:
    parts = FilePart.objects.filter(batch=batch).order_by("number")
    return b"".join(bytes(data) for data in parts.values_list("data", flat=True))


def has_number(content: bytes, traces: Traces) -> bool:
    """Whether a file has the number: text in any encoding, or a workbook."""
    return any(map(traces.is_in, _texts(content)))


def _texts(content: bytes) -> Iterator[str]:
    """What a file holds, in pieces that overlap."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        # UTF-16 writes a zero beside each digit.
        yield content.replace(b"\x00", b"").decode("latin-1")
        return
    before = ""
    for piece in _unpacked(content):
        text = before + piece.decode("latin-1")
        yield text
        before = text[-OVERLAP:]


def _unpacked(content: bytes) -> Iterator[bytes]:
    left = MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    while left > 0 and (piece := member.read(PIECE)):
                        left -= len(piece)
                        yield piece
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        # A damaged file has no readable number.
        return


class Listed(Place):
    """Entries of the do-not-send list, which protect the person. An active one is taken off."""

    def _changes(
        self, traces: Traces, row: Mapping[str, Any], stand_in: str, *, on_purpose: bool
    ) -> dict[str, Any]:
        changes = super()._changes(traces, row, stand_in, on_purpose=on_purpose)
        if self.number in changes:
            changes["removed_at"] = row["removed_at"] or Now()
        return changes


def register_places() -> None:
    register(
        Place(
            Message,
            pgettext_lazy("title", "Messages"),
            subject="message",
            number="recipient",
            cleared={"length": Length("text"), "text": "", "code": ""},
            searched=("text", "words", "warnings", "settled_because", "channel", "template"),
            mentioned=("text", "words"),
            under_way=_UNDER_WAY,
            handed_out=(
                "public_id",
                "created_at",
                "kind",
                "recipient",
                "country",
                "text",
                "segments",
                "sender_id",
                "state",
                "answered_at",
                "reported_at",
                "ended_at",
                "words",
            ),
            excused={
                "reference": "a random id",
                "sender_id": "who sends, as the recipient sees it",
                "sms_kind": "a word of the provider",
                "encoding": "a word of the portal",
                "reason": "a word of the portal",
                "provider_id": "the provider's id, for its bill",
                "belongs_to": "a kind and an id",
            },
        )
    )
    register(
        Place(
            Report,
            _("Reports about messages"),
            searched=("words",),
            mentioned=("words",),
            excused={"named_id": "the provider's id"},
        )
    )
    register(
        Place(
            StagedRow,
            _("Rows of recipients' files"),
            number="recipient",
            cleared={"typed": "", "values": None, "text": ""},
            searched=("typed", "values", "text"),
            mentioned=("values", "text"),
            under_way=_NOT_ENDED,
            handed_out=("recipient", "values", "text", "verdict"),
            excused={"encoding": "a word of the portal"},
        )
    )
    register(Files(FilePart, _("Recipients' files"), searched=("data",)))
    register(
        Place(
            Batch,
            pgettext_lazy("title", "Batches"),
            searched=("values", "name", "text", "file_name", "columns", "findings", "sample"),
            under_way=~Q(state__in=ENDED),
            excused={
                "reason": "a word of the portal",
                "sms_kind": "a word of the provider",
                "sender_id": "who sends, as the recipient sees it",
                "file_digest": "a hash of a file",
                "recipients_digest": "a hash of all numbers",
                "choices": "columns that staff chose",
                "reserved": "words and keys of limits",
            },
        )
    )
    register(
        Place(
            Template,
            pgettext_lazy("title", "Templates"),
            searched=("name", "text"),
            # What is sent to others must not change unseen.
            under_way=Q(pk__isnull=False),
        )
    )
    register(
        Listed(
            DoNotSend,
            _("Do-not-send list"),
            number="number",
            cleared={"removed_at": None},
            searched=("because", "removed_because"),
            on_purpose=True,
            handed_out=("number", "because", "added_at", "removed_at", "removed_because"),
        )
    )
