"""`manage.py hold`: put on hold what waits now, until a person decides about it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.hold.begin import begin, count_held
from providers.models import Hold

from ... import clock


class Command(BaseCommand):
    help = (
        "Puts on hold everything that waits to be sent or ordered now. What staff enter later goes"
        " out as usual. `manage.py release` or a manager decides about the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reason", required=True, help="why, for those who have to decide (200 characters)"
        )

    def handle(self, *_args: Any, reason: str, **_options: Any) -> None:
        reason = reason.strip()
        if not reason:
            raise CommandError("Give a --reason.")
        hold = begin(Hold.Cause.BY_HAND, {"at": clock.now().isoformat()}, reason=reason)
        if hold is None:
            self.stdout.write("Nothing waits, so nothing was put on hold.")
            return
        since = f"{hold.started_at:%Y-%m-%d %H:%M:%S}"
        self.stdout.write(f"On hold since {since} UTC: {count_held(hold)}.")
