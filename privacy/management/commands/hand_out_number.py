"""`manage.py hand_out_number +8613912345678 --reason … --to data.zip`"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.phones.parse import PhoneError
from core.stored_texts import from_staff
from privacy import erase
from privacy.hand_out import hand_out


class Command(BaseCommand):
    help = "Write everything about a phone number into a file for the person who has it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("number", help="With + and the country code.")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--to", type=Path, required=True, help="A new ZIP file.")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            number = erase.number_from(options["number"])
        except PhoneError:
            raise CommandError("This is no phone number. Nothing was written.") from None
        path: Path = options["to"]
        try:
            # Only for the person who runs the command.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path} cannot be written ({error.strerror}).") from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(hand_out(number, from_staff(options["reason"]), None))
        self.stdout.write(f"Written to {path}.")
