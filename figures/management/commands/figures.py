"""`manage.py figures`: count what has changed, or everything anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from figures.models import Figure
from figures.roll_up import bring_up_to_date
from figures.triggers import install, mark_all

LONGEST = 3_600.0


class Command(BaseCommand):
    help = (
        "Brings the figures up to date, as the queue does every minute. With --rebuild every"
        " quarter of an hour that has rows is counted anew; figures whose rows were deleted stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="count everything anew")

    def handle(self, *_args: Any, rebuild: bool, **_options: Any) -> None:
        install()
        if rebuild:
            mark_all()
        if not bring_up_to_date(LONGEST):
            raise CommandError("Another process is counting. Run the command again.")
        self.stdout.write(f"Up to date: {Figure.objects.count()} figures.")
